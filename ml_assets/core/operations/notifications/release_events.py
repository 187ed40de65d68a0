"""Notification events of the release ledger: rollbacks, and the promotions that resolve them."""

from collections.abc import Iterable, Mapping
from typing import Any

from ml_assets.core.operations.notifications.events import Kind, NotificationEvent, Severity
from ml_assets.core.release.release_state import CHAMPION


def events_of_releases(model: str, rows: Iterable[Mapping[str, Any]]) -> list[NotificationEvent]:
    """Return a failure for each rollback, and a success for each other release that makes a version the champion.

    Args:
        model: name of the model.
        rows: rows of its ledger, with `release_schemas.LEDGER_ROWS_SCHEMA`.
    """
    events: dict[int, NotificationEvent] = {}
    for row in rows:
        moved_champion = row["alias"] == CHAMPION and row["from_digest"] != row["to_digest"]
        if row["action"] != "rollback" and not (moved_champion and row["to_digest"]):
            continue
        earlier = events.get(row["release"])
        is_error = moved_champion or (earlier is not None and earlier.severity is Severity.ERROR)
        what = "the champion was rolled back" if is_error else "the canary was rolled back"
        events[row["release"]] = NotificationEvent(
            Kind.ROLLBACK,
            model,
            row["day"].isoformat(),
            f"release {row['release']}",
            failed=row["action"] == "rollback",
            at=row["at"],
            severity=Severity.ERROR if is_error else Severity.WARNING,
            message=f"{row['day']}: {what} by {row['actor']}: {row['reason']}",
            link=f"/assets/{model}/deployment",
        )
    return list(events.values())
