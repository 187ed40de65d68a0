"""Rules for the columns of served requests."""

from collections.abc import Sequence

from ml_assets.core.model_spec.deployment import Capture
from ml_assets.core.model_spec.types.base import repeated

OF_REQUESTS = ("request_id", "served_at", "features_through", "not_kept", "segment")
"""Names of columns that served_requests has in addition to the columns of a row."""


def check_capture(
    capture: Capture | None,
    identity: Sequence[str],
    clear: Sequence[str],
    features: Sequence[str],
    categorical: Sequence[str],
) -> None:
    """Check that `hashed` and `leave_out` name kept columns, and that no other column has a name that the table uses
    itself.

    Args:
        capture: the settings of capture; None if no requests are kept.
        identity: the identity columns of a request: all but the target.
        clear: the identity columns by which rows are compared: the row key and the event time.
        features: names of the feature columns.
        categorical: names of the feature columns that hold categories.

    Raises:
        ValueError: names the field, the column, and the names to choose from.
    """
    if capture is None:
        return
    field, known = "deployment.capture", list(dict.fromkeys([*identity, *features]))
    can_be_hashed = [name for name in known if name not in clear and name in (*identity, *categorical)]
    can_be_left_out = [name for name in known if name not in clear]
    for part, names, allowed in (
        ("hashed", capture.hashed, can_be_hashed),
        ("leave_out", capture.leave_out, can_be_left_out),
    ):
        if unknown := [name for name in names if name not in allowed]:
            raise ValueError(
                f"{field}.{part}: not possible: {', '.join(unknown)}; choose from {', '.join(allowed) or 'no columns'}."
                " The row key and the event time are kept unchanged, because rows are compared by them"
            )
    if twice := repeated([*set(capture.hashed), *set(capture.leave_out)]):
        raise ValueError(f"{field}: both hashed and left out: {', '.join(twice)}")
    if taken := [name for name in known if name in OF_REQUESTS and name not in capture.leave_out]:
        raise ValueError(
            f"{field}: served_requests itself has a column {', '.join(taken)}; name yours in leave_out, or rename it"
        )
