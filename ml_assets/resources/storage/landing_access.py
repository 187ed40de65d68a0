"""Access to the landing: a landing that is missing or cannot be listed is an error, never a landing without files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml_assets.resources.storage.bucket import Bucket, NoListing
from ml_assets.resources.storage.directory import Directory, UnreadableName
from ml_assets.resources.storage.s3_errors import bucket_at_endpoint, describe_refusal, describe_unreachable

VARIABLE = "ML_ASSETS_LANDING"


class LandingUnavailable(Exception):
    """The landing does not exist or cannot be listed. The message says what, where, and what to do."""

    states_remedy = True


@contextmanager
def refuse_absence(objects: Directory | Bucket, uri: str) -> Iterator[None]:
    """Raise LandingUnavailable if the landing does not exist, or cannot be listed in the block.

    Args:
        objects: the files of the landing.
        uri: the URI of the landing, for the message.

    Raises:
        LandingUnavailable: caused by the exception of the file system or of the client, so that a transient failure is
            recognized as such.
        FileNotFoundError: when a file that was listed is gone.
    """
    if isinstance(objects, Bucket):
        with _say_what_s3_refuses(objects, uri):
            yield
        return
    if isinstance(objects, Directory) and (problem := missing_root(objects.root)) is not None:
        raise LandingUnavailable(f"the landing is not there: {problem}. {_remedy()}")
    try:
        yield
    except FileNotFoundError:
        raise
    except UnreadableName as error:
        raise LandingUnavailable(
            f"the landing cannot be listed: {error.filename}: {error.strerror}; until then no day is recomputed"
        ) from error
    except OSError as error:
        reason = f"{error.filename or uri}: {error.strerror or error}"
        raise LandingUnavailable(f"the landing {uri} cannot be read: {reason}. {_remedy()}") from error


def missing_root(root: Path) -> str | None:
    """Return why a directory does not exist; None if it does."""
    if root.is_dir():
        return None
    if root.is_symlink() and not root.exists():
        return f"{root} is a link to {root.readlink()}, which does not exist"
    return f"{root} is a file, not a directory" if root.exists() else f"there is no directory {root}"


def _remedy() -> str:
    return (
        f"Check that its disk is mounted, that this user may list it, and that {VARIABLE} names it; no day is replaced"
    )


@contextmanager
def _say_what_s3_refuses(bucket: Bucket, uri: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        reason = describe_refusal(bucket, error.response, VARIABLE, writing=False)
        raise LandingUnavailable(f"the landing {uri} cannot be read: {reason}") from error
    except BotoCoreError as error:
        reason = describe_unreachable(bucket, error)
        raise LandingUnavailable(f"the landing {uri} cannot be read: {reason}") from error
    except NoListing as error:
        raise LandingUnavailable(
            f"the landing {uri} cannot be read: the server at {bucket_at_endpoint(bucket)} is not an S3 store. Correct "
            "the endpoint (AWS_ENDPOINT_URL)"
        ) from error
