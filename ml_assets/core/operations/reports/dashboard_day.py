"""The figures of a day for the dashboard of its model, taken from the report of the day."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.operations.reports.daily_report import DRIFT, Part, Report
from ml_assets.core.profiling.drift import DISTANCES

MAX_FAILED, MAX_REASON = 6, 300


@dataclass(frozen=True)
class Quality:
    """A metric of the predictions of a day: `estimated` before their labels are known, or `realised`.

    predicted_on: the day of the predictions. side: champion or challenger. value: None where it is undefined. note: the
    reason if there is no value, or None.
    """

    predicted_on: date
    kind: str
    side: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    note: str | None = None


@dataclass(frozen=True)
class DaySummary:
    """The figures of one day.

    verdict, reason: as on the page of the day. failed: the failed checks, errors first, at most 6 of `failed_count`,
    each with asset, check, severity and reason. accepted, quarantined: numbers of rows; None if not reported. metrics:
    value and interval bounds of each metric of the day's model on its holdout. drift: the largest distance of a column,
    by check; None where the check has no figure. drifted: the drift checks that failed. release: the decision and the
    live versions, as the deployment reports them. predicted: figures of the predictions. quality: estimated and
    realised metrics that became known on the day.
    """

    day: date
    verdict: str
    reason: str
    model: str
    failed: Sequence[Mapping[str, str]] = ()
    failed_count: int = 0
    accepted: int | None = None
    quarantined: int | None = None
    metrics: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    drift: Mapping[str, float | None] = field(default_factory=dict)
    drifted: Sequence[str] = ()
    release: Mapping[str, Any] = field(default_factory=dict)
    predicted: Mapping[str, Any] = field(default_factory=dict)
    quality: Sequence[Quality] = ()

    def to_document(self) -> dict[str, Any]:
        """Return the summary as JSON-able values."""
        return json.loads(json.dumps(asdict(self), default=str))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "DaySummary":
        """Read the summary that `to_document` wrote."""
        quality = [
            Quality(**{**entry, "predicted_on": date.fromisoformat(entry["predicted_on"])})
            for entry in document["quality"]
        ]
        return cls(**{**document, "day": date.fromisoformat(document["day"]), "quality": quality})


def summarize_day(report: Report, quality: Iterable[Mapping[str, Any]] = ()) -> DaySummary:
    """Return the figures of a day.

    Args:
        report: the report of the day.
        quality: rows of `prediction_quality` of the day.
    """
    verdict, reason = report.verdict()
    parts = {part.asset: part for part in report.parts}
    rows = _facts(parts, "validated_data")
    failed = report.failed()
    drift = [outcome for outcome in report.outcomes if outcome.check.endswith(DRIFT)]
    return DaySummary(
        report.day,
        verdict,
        reason[:MAX_REASON],
        report.model_line()[:MAX_REASON],
        [_describe_failure(part, outcome) for part, outcome in failed[:MAX_FAILED]],
        len(failed),
        rows.get("rows_accepted"),
        rows.get("rows_quarantined"),
        _metrics(parts.get("evaluation")),
        {outcome.check: _largest_distance(outcome) for outcome in drift if outcome.passed is not None},
        [outcome.check for outcome in drift if outcome.failed],
        _facts(parts, "deployment"),
        _facts(parts, "predictions"),
        [Quality(**{name: row[name] for name in Quality.__dataclass_fields__}) for row in quality],
    )


def _facts(parts: Mapping[str, Part], asset: str) -> Mapping[str, Any]:
    return parts[asset].facts if asset in parts else {}


def _describe_failure(part: Part, outcome: CheckOutcome) -> dict[str, str]:
    return {
        "asset": part.asset,
        "check": outcome.check,
        "severity": outcome.severity,
        "reason": outcome.reason[:MAX_REASON],
    }


def _metrics(evaluation: Part | None) -> dict[str, list[float | None]]:
    """Return the metrics of the whole holdout, which are in the first table of the evaluation."""
    if evaluation is None or not evaluation.tables:
        return {}
    return {
        str(row["metric"]): [_number(row.get(name)) for name in ("value", "low", "high")]
        for row in evaluation.tables[0].rows
        if "metric" in row
    }


def _largest_distance(outcome: CheckOutcome) -> float | None:
    """Return the largest distance of a column of the day from the reference; None if no column has one."""
    distances = [_number(line.get(name)) for line in outcome.lines for name in DISTANCES]
    return max((distance for distance in distances if distance is not None), default=None)


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return float(value) if is_number else None  # type: ignore[arg-type]
