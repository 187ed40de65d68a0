"""The open notifications of a model, which steps of this process can read without a Dagster resource."""

from collections.abc import Callable, Sequence

from ml_assets.core.operations.notifications.events import Notification
from ml_assets.resources.notifications.outbox import Outbox

_open_outbox: Callable[[], Outbox] | None = None


def show_notifications(open_outbox: Callable[[], Outbox] | None) -> None:
    """Set how steps of this process open the database of notifications; until then they have no access to it.

    Args:
        open_outbox: opens the database; None to forget it.
    """
    global _open_outbox
    _open_outbox = open_outbox


def open_notifications(model: str, limit: int) -> Sequence[Notification] | None:
    """Return the newest open notifications of a model; None if this process was given no database.

    Args:
        model: name of the model.
        limit: maximum number.

    Raises:
        NotificationsUnavailable: when the database cannot be used.
    """
    if _open_outbox is None:
        return None
    return [notification for notification in _open_outbox().newest(limit, model) if notification.is_open]
