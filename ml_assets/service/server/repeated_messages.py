"""A filter for log messages that clients can cause at any rate."""

import logging
import time


class RepeatedMessages(logging.Filter):
    """Pass the same message at most once per period, with the number of suppressed repetitions."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._passed_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record. Errors are always logged."""
        if record.levelno >= logging.ERROR:
            return True
        message, now = str(record.msg), time.monotonic()
        if now - self._passed_at.get(message, -self._seconds) < self._seconds:
            self._left_out[message] = self._left_out.get(message, 0) + 1
            return False
        self._passed_at[message] = now
        if left_out := self._left_out.pop(message, 0):
            record.msg = f"{record.getMessage()} ({left_out:,} more since the last line)"
            record.args = ()
        return True
