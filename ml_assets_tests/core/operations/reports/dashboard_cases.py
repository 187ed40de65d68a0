"""A dashboard of sixty days with everything on it, for tests and for people who look at it."""

import math
from datetime import UTC, date, datetime, timedelta

from ml_assets.core.operations.reports.dashboard import Dashboard, OpenNotification
from ml_assets.core.operations.reports.dashboard_day import DaySummary, Quality
from ml_assets.core.release.release_state import Move, Release, Version

LAST = date(2025, 3, 1)
NASTY = "<script>alert('x')</script>\"&"
DELAY = 7


def summary(number: int, text: str = "plain", metrics: tuple[str, ...] = ("roc_auc", "f1")) -> DaySummary:
    """Build the day that many days before the last one: days 20 to 10 have a canary, and day 30 was rejected."""
    day, wave = LAST - timedelta(days=number), math.sin(number) / 50
    is_rejected, has_canary = number == 30, 10 <= number <= 20
    quality = [
        Quality(day, "estimated", "champion", name, 0.8 + wave, 0.77 + wave, 0.83 + wave) for name in metrics[:1]
    ] + [
        Quality(day - timedelta(days=DELAY), "realised", "champion", name, 0.81 - wave, None, None) for name in metrics
    ]
    failure = {"asset": "validated_data", "check": "column_drift", "severity": "error", "reason": f"drifted: {text}"}
    return DaySummary(
        day,
        "rejected" if is_rejected else "flagged" if number % 13 == 5 else "published",
        f"the reason is {text}",
        "registered as version 3",
        [failure] if is_rejected or number % 13 == 5 else [],
        int(is_rejected or number % 13 == 5),
        0 if is_rejected else 4000 + 10 * number,
        90 if is_rejected else 7,
        {} if is_rejected else {name: [0.85 + wave, 0.82 + wave, 0.88 + wave] for name in metrics},
        {"column_drift": 0.4 if is_rejected else 0.02 + abs(wave), "feature_drift": 0.05},
        ["column_drift"] if is_rejected else [],
        {"decision": "start" if number == 20 else "none", "reason": text, "percent": 10 if has_canary else 0},
        {
            "champion_mean_score": 0.1,
            **({"challenger_mean_score": 0.11} if has_canary else {}),
            "positive_decisions": 9,
        },
        quality,
    )


def dashboard(text: str = "plain", days: int = 60, metrics: tuple[str, ...] = ("roc_auc", "f1")) -> Dashboard:
    """Build a dashboard whose texts contain `text`."""
    version = Version(3, "abc", LAST - timedelta(days=9))
    move = Move("promote", Release(5, champion=version), LAST - timedelta(days=9), "run 1", text, {})
    happened = datetime(2025, 3, 1, 7, 30, tzinfo=UTC)
    return Dashboard(
        f"model {text}",
        [summary(number, text, metrics) for number in range(days - 1, -1, -1)],
        move,
        [OpenNotification(happened, "error", "2025-01-30", f"column_drift failed: {text}")],
        {"roc_auc": (0.7, None)},
    )
