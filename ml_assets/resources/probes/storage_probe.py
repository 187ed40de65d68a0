"""Access to a directory or bucket, its free space and its time: tested by using it, because permissions alone are not
conclusive.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.conditional_puts import problem_of_conditional_puts
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.s3_errors import describe_refusal, describe_unreachable

PROBE = "_probe"


def read_problem(objects: Directory | Bucket, variable: str) -> str | None:
    """Try to list the files of a location.

    Args:
        objects: the location.
        variable: the environment variable that names it.

    Returns:
        A sentence with the problem, followed by sentences with the remedy; None when the files can be listed.
    """
    if isinstance(objects, Bucket):
        return _bucket_problem(objects, variable, writing=False)
    root = objects.root
    if not root.exists():
        return f"there is no {root}. Create it, or correct {variable}."
    if not root.is_dir():
        return f"{root} is not a directory. Correct {variable}."
    if not os.access(root, os.R_OK | os.X_OK):
        return f"this user may not read {root}. Grant the permission, or correct {variable}."
    return None


def write_problem(objects: Directory | Bucket, variable: str) -> str | None:
    """Try to write to a location: an empty file is created and removed again. Arguments and result are those of
    `read_problem`.
    """
    if isinstance(objects, Bucket):
        return _bucket_problem(objects, variable, writing=True)
    nearest = next(path for path in (objects.root.absolute(), *objects.root.absolute().parents) if path.exists())
    if not nearest.is_dir():
        return f"{nearest} is not a directory. Correct {variable}."
    return _create_problem(nearest, variable)


def lake_problem(objects: Directory | Bucket, variable: str) -> str | None:
    """Try to commit to a lake, for which a bucket must also support conditional puts. Arguments and result are those of
    `read_problem`.
    """
    if isinstance(objects, Bucket):
        return read_problem(objects, variable) or problem_of_conditional_puts(objects)
    return write_problem(objects, variable)


def find_fullest_disk(folders: Iterable[Path]) -> tuple[str, int] | None:
    """Return the folder whose disk has the least free space, and its free bytes; None when no folder exists."""
    free = {str(path): shutil.disk_usage(path).free for path in folders if path.is_dir()}
    return min(free.items(), key=lambda item: item[1]) if free else None


def measure_bucket_skew(bucket: Bucket, now: Callable[[], float] = time) -> float | None:
    """Return the seconds by which this machine's clock is ahead of that of an S3 store, to about a second; None when
    the store does not send its time.
    """
    before = now()
    date_header = bucket.date()
    # The header is truncated to whole seconds.
    return None if date_header is None else (before + now()) / 2 - parsedate_to_datetime(date_header).timestamp() - 0.5


def _create_problem(folder: Path, variable: str) -> str | None:
    # os.access does not notice file systems that are read-only or full.
    probe = folder / f".{PROBE}.{uuid.uuid4().hex}"
    try:
        probe.touch()
    except OSError as error:
        reason = f"this user may not write to {folder} ({error.strerror})"
        return f"{reason}. Grant the permission, or correct {variable}."
    probe.unlink()
    return None


def _bucket_problem(bucket: Bucket, variable: str, writing: bool) -> str | None:
    from botocore.exceptions import BotoCoreError, ClientError

    key = f"{PROBE}/{uuid.uuid4().hex}"
    try:
        if writing:
            bucket.write(key, b"")
            bucket.delete(key)
        else:
            next(bucket.pages(""))
    except ClientError as error:
        return describe_refusal(bucket, error.response, variable, writing)
    except BotoCoreError as error:
        return describe_unreachable(bucket, error)
    return None
