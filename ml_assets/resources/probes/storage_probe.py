"""Whether a place (a directory or a bucket) is there, can be read, and can be written: asked, not assumed."""

import os
import uuid
from pathlib import Path

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.conditional_puts import problem_of_conditional_puts
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.s3_errors import refused, unreachable

PROBE = "_probe"


def problem_of_reading(objects: Directory | Bucket, variable: str) -> str | None:
    """Why the files of a place cannot be listed, and what to do; None when they can.

    Args:
        objects: the place.
        variable: the environment variable that names it.
    """
    if isinstance(objects, Bucket):
        return _asked(objects, variable, writing=False)
    root = objects.root
    if not root.exists():
        return f"there is no {root}. Create it, or correct {variable}."
    if not root.is_dir():
        return f"{root} is not a directory. Correct {variable}."
    if not os.access(root, os.R_OK | os.X_OK):
        return f"this user may not read {root}. Give it the rights, or correct {variable}."
    return None


def problem_of_writing(objects: Directory | Bucket, variable: str) -> str | None:
    """Why nothing can be written to a place, and what to do; None when it can. An empty file is put there and removed
    again.
    """
    if isinstance(objects, Bucket):
        return _asked(objects, variable, writing=True)
    nearest = next(path for path in (objects.root.absolute(), *objects.root.absolute().parents) if path.exists())
    if not nearest.is_dir():
        return f"{nearest} is not a directory. Correct {variable}."
    return _problem_of_a_file_in(nearest, variable)


def problem_of_lake(objects: Directory | Bucket, variable: str) -> str | None:
    """Why nothing can be committed to a lake; None when it can. A bucket must also honour conditional puts."""
    if isinstance(objects, Bucket):
        return problem_of_reading(objects, variable) or problem_of_conditional_puts(objects)
    return problem_of_writing(objects, variable)


def _problem_of_a_file_in(folder: Path, variable: str) -> str | None:
    # Not os.access, which does not know of file systems that are read-only or full.
    probe = folder / f".{PROBE}.{uuid.uuid4().hex}"
    try:
        probe.touch()
    except OSError as error:
        return f"this user may not write to {folder} ({error.strerror}). Give it the rights, or correct {variable}."
    probe.unlink()
    return None


def _asked(bucket: Bucket, variable: str, writing: bool) -> str | None:
    from botocore.exceptions import BotoCoreError, ClientError

    key = f"{PROBE}/{uuid.uuid4().hex}"
    try:
        if writing:
            bucket.write(key, b"")
            bucket.delete(key)
        else:
            next(bucket.pages(""))
    except ClientError as error:
        return refused(bucket, error.response, variable, writing)
    except BotoCoreError as error:
        return unreachable(bucket, error)
    return None
