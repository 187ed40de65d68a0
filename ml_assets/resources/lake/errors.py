"""What can be wrong with a table of the lake, told with what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

# What delta-rs says of a file of the log that is there and makes no sense; other errors of it may pass.
SENSELESS = re.compile(r"json error|parquet error|invalid json", re.IGNORECASE)
MOST_CHARACTERS = 200


class LakeError(Exception):
    """A table of the lake cannot be used as asked; the message says which and what to do."""


class DamagedDay(LakeError):
    """The rows of a day were committed, and a file that holds some of them is damaged or gone."""

    def __init__(self, uri: str, path: str, day: date, error: Exception):
        asset = uri.rstrip("/").rpartition("/")[2]
        # Arrow names the file first.
        reason = _short(error).rpartition("': ")[2]
        what = "is gone" if isinstance(error, FileNotFoundError) else f"is damaged ({reason})"
        super().__init__(
            f"{uri}/{path}, with rows of {day}, {what}. Materialise {asset} of {day} by itself, one partition in a run: it is made again from what "
            "it is made from. Or put the file back from the versions of the bucket or a backup."
        )


@contextmanager
def readable_log(uri: str) -> Iterator[None]:
    """Where the log of a table is read.

    Raises:
        LakeError: when a file of it is damaged.
    """
    from deltalake.exceptions import DeltaError

    try:
        yield
    except DeltaError as error:
        if not SENSELESS.search(str(error)):
            raise
        raise LakeError(
            f"{uri}/_delta_log: a file of the table's log is damaged ({_short(error)}). Put it back from the versions of the bucket or a backup; "
            "the newest files are those that changed last. Without a backup move the table away: its days are made again when they are materialised."
        ) from error


def _short(error: Exception) -> str:
    # Behind its text delta-rs puts the stack.
    text = " ".join(re.split(r"\n\s*0: ", str(error))[0].split())
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."
