"""Errors of tables of the lake, with messages that say what to do."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from ml_assets.core.operations.failures.damaged_state import LEDGER, TABLE, DamagedState

# Messages of delta-rs about an unreadable file of the log, and about a store that is out of reach, which may be
# transient.
UNREADABLE = re.compile(r"json error|parquet error|invalid json|kernel error|generic deltatable error", re.IGNORECASE)
UNREACHABLE = re.compile(
    r"error performing|generic (s3|http|localfilesystem) error|http error|response body|timed out|connection|"
    r"permission|object at location|no such file|file not found",
    re.IGNORECASE,
)
LEDGER_FOLDER = "release_ledger"
MAX_CHARACTERS = 200
# Errors of a local file system for a file that the disk no longer returns, or that something else has replaced.
_DAMAGE = {
    getattr(errno, name)
    for name in ("ENOENT", "EIO", "EISDIR", "ENOTDIR", "ELOOP", "EUCLEAN", "EBADMSG", "EREMOTEIO", "ENODATA")
    if hasattr(errno, name)
}


class LakeError(Exception):
    """A table of the lake cannot be used. The message names the table and says what to do."""


class DamagedLog(LakeError, DamagedState):
    """A file of the log of a table is damaged or gone.

    Args:
        uri: URI of the table.
        reason: why the log cannot be read.
    """

    def __init__(self, uri: str, reason: str):
        model, asset = uri.rstrip("/").rsplit("/", 2)[1:]
        state_file = LEDGER if asset == LEDGER_FOLDER else TABLE
        super().__init__(state_file.explain(f"{uri}/_delta_log", reason, model, table=uri))


class DamagedDay(LakeError):
    """A file with committed rows of a day is damaged or gone."""

    def __init__(self, uri: str, path: str, day: date, error: Exception):
        model, asset = uri.rstrip("/").split("/")[-2:]
        self.asset = asset
        self.path = path
        self.day = day
        # Arrow names the file first.
        reason = _short(error).rpartition("': ")[2]
        self.reason = "gone" if isinstance(error, FileNotFoundError) else f"damaged ({reason})"
        super().__init__(
            f"{uri}/{path}, with rows of {day}, is {self.reason}. `ml-assets repair {model} --damaged` makes every "
            f"damaged day again from its inputs. Materialize {asset} of {day} by itself, or the asset that the table "
            "belongs to, one partition in a run, to do it for this day alone. Or restore the file from the versions of "
            "the bucket or a backup."
        )


def is_damage(error: OSError) -> bool:
    """Return whether an error of reading a file means that its content is lost, rather than that the store is out of
    reach or refuses access.
    """
    return isinstance(error, FileNotFoundError) or error.errno in _DAMAGE


@contextmanager
def readable_log(uri: str) -> Iterator[None]:
    """Raise a DamagedLog if the block reads a damaged file of the log of a table.

    Args:
        uri: URI of the table.

    Raises:
        DamagedLog: when a file of the log is damaged.
    """
    try:
        yield
    # A panic of delta-rs is not an Exception.
    except BaseException as error:
        if not _is_unreadable(error):
            raise
        raise DamagedLog(uri, _short(error).removeprefix("Kernel error: ")) from error


def _is_unreadable(error: BaseException) -> bool:
    """Return whether an exception of reading the log means that a file of it is damaged."""
    from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

    if isinstance(error, CommitFailedError | TableNotFoundError | LakeError):
        return False
    if type(error).__name__ == "PanicException":
        return True
    if isinstance(error, DeltaError):
        return UNREADABLE.search(str(error)) is not None and UNREACHABLE.search(str(error)) is None
    if isinstance(error, OSError):
        # Errors raised by Arrow and delta-rs have no errno; errors of the operating system have one.
        is_numbered = error.errno is not None or isinstance(error, FileNotFoundError | ConnectionError | TimeoutError)
        return not is_numbered and UNREACHABLE.search(str(error)) is None
    # Errors in JSON, Parquet or dates, and missing keys.
    return isinstance(error, ValueError | KeyError | TypeError | AttributeError)


def _short(error: BaseException) -> str:
    # delta-rs appends a stack trace to its message, and what it has parsed.
    text = " ".join(re.split(r"\n\s*0: |: ParsedLogPath", str(error))[0].split())
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}..."
