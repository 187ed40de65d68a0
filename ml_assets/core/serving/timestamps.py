"""Times of single rows as whole microseconds, which can be compared without a frame."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def since_epoch(time: object) -> int:
    """Convert a time with a time zone to whole microseconds since 1970 UTC."""
    return (time - EPOCH) // MICROSECOND  # type: ignore[operator]
