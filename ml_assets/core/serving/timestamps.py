"""Times of single rows as whole microseconds, which are compared without a frame."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def since_epoch(time: object) -> int:
    """Whole microseconds since 1970 UTC of a time with a zone."""
    return (time - EPOCH) // MICROSECOND  # type: ignore[operator]
