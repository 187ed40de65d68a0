"""Errors of tables of the lake, with messages that say what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

# Messages of delta-rs about a file of the log that cannot be parsed; its other errors may be transient.
UNREADABLE = re.compile(r"json error|parquet error|invalid json", re.IGNORECASE)
MAX_CHARACTERS = 200


class LakeError(Exception):
    """A table of the lake cannot be used. The message names the table and says what to do."""


class DamagedDay(LakeError):
    """A file with committed rows of a day is damaged or gone."""

    def __init__(self, uri: str, path: str, day: date, error: Exception):
        asset = uri.rstrip("/").rpartition("/")[2]
        # Arrow names the file first.
        reason = _short(error).rpartition("': ")[2]
        state = "is gone" if isinstance(error, FileNotFoundError) else f"is damaged ({reason})"
        super().__init__(
            f"{uri}/{path}, with rows of {day}, {state}. Materialise {asset} of {day} by itself, one partition in a "
            "run: it is made again from its inputs. Or restore the file from the versions of the bucket or a backup."
        )


@contextmanager
def readable_log(uri: str) -> Iterator[None]:
    """Raise a LakeError if the block reads a damaged file of the log of a table.

    Raises:
        LakeError: when a file of the log is damaged.
    """
    from deltalake.exceptions import DeltaError

    try:
        yield
    except DeltaError as error:
        if not UNREADABLE.search(str(error)):
            raise
        raise LakeError(
            f"{uri}/_delta_log: a file of the table's log is damaged ({_short(error)}). Restore it from the versions "
            "of the bucket or a backup; the newest files are those that changed last. Without a backup move the table "
            "away: its days are made again when they are materialised."
        ) from error


def _short(error: Exception) -> str:
    # delta-rs appends a stack trace to its message.
    text = " ".join(re.split(r"\n\s*0: ", str(error))[0].split())
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}..."
