"""The limits of landed files, enforced while a file is read."""

import gzip
import io
import zlib

from ml_assets.core.model_spec.types.file_limits import FileLimits, LimitName

_CHUNK = 1 << 20
_MEASURES: dict[LimitName, str] = {
    "unpacked_bytes": "it unpacks to {} bytes",
    "rows": "it has {} rows",
    "columns": "it has {} columns",
    "line_bytes": "a line has {} bytes",
    "depth": "lists and objects are nested {} deep",
}


class LimitExceeded(ValueError):
    """A file exceeds one of its limits."""


def exceeded(
    limits: FileLimits, name: LimitName, measured: int, where: str = "", is_exact: bool = True
) -> LimitExceeded:
    """Build the error of a file that exceeds a limit: the measured value, the limit and the remedy.

    Args:
        limits: the limits.
        name: the name of the limit.
        measured: the measured value.
        where: the part of the file, for messages; empty for the whole file.
        is_exact: whether the measured value is exact; otherwise it is a lower bound.
    """
    amount = _MEASURES[name].format(f"{'' if is_exact else 'at least '}{measured:,}")
    if where:
        amount = amount.replace("a line", where, 1)
    return LimitExceeded(
        f"{amount}, and source.limits.{name} is {getattr(limits, name):,}; split the file, or raise the limit if such "
        "files are right"
    )


def check_limit(limits: FileLimits, name: LimitName, measured: int, where: str = "", is_exact: bool = True) -> None:
    """Check a measured value against its limit; see `exceeded` for the arguments.

    Raises:
        LimitExceeded: when it is above the limit.
    """
    if measured > getattr(limits, name):
        raise exceeded(limits, name, measured, where, is_exact)


def unpack_gzip(content: bytes, limits: FileLimits) -> bytes:
    """Decompress a gzip file of one or more members, up to the limit.

    Raises:
        LimitExceeded: as soon as the unpacked bytes exceed the limit.
        ValueError: when the file is cut off or damaged.
    """
    unpacked = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            while chunk := packed.read(_CHUNK):
                check_limit(limits, "unpacked_bytes", unpacked.tell() + len(chunk), is_exact=False)
                unpacked.write(chunk)
    except EOFError as error:
        raise ValueError("it is a gzip file that is cut off: land it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError("it is a gzip file that is damaged: land it again") from error
    return unpacked.getvalue()
