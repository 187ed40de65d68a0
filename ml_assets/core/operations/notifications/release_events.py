"""What of the release ledger people are told of: rollbacks, and the promotion after them that ends the matter."""

from collections.abc import Iterable, Mapping
from typing import Any

from ml_assets.core.operations.notifications.events import Kind, NotificationEvent, Severity
from ml_assets.core.release.release_state import CHAMPION


def events_of_releases(model: str, rows: Iterable[Mapping[str, Any]]) -> list[NotificationEvent]:
    """A failure for each rollback, a success for each other release that makes a version the champion.

    Args:
        model: whose ledger it is.
        rows: of the ledger, as `release_schemas.LEDGER_ROWS` has them.
    """
    found: dict[int, NotificationEvent] = {}
    for row in rows:
        moved_champion = row["alias"] == CHAMPION and row["from_digest"] != row["to_digest"]
        if row["action"] != "rollback" and not (moved_champion and row["to_digest"]):
            continue
        earlier = found.get(row["release"])
        grave = moved_champion or (earlier is not None and earlier.severity is Severity.ERROR)
        what = "the champion was rolled back" if grave else "the canary was rolled back"
        found[row["release"]] = NotificationEvent(
            Kind.ROLLBACK,
            model,
            row["day"].isoformat(),
            f"release {row['release']}",
            failed=row["action"] == "rollback",
            at=row["at"],
            severity=Severity.ERROR if grave else Severity.WARNING,
            message=f"{row['day']}: {what} by {row['actor']}: {row['reason']}",
            link=f"/assets/{model}/deployment",
        )
    return list(found.values())
