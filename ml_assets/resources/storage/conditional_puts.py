"""Whether the S3 store of a lake honours conditional puts, without which two runs could overwrite each other's
commits.
"""

import logging
import uuid

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.s3_errors import place, refused, unreachable

log = logging.getLogger("ml_assets.lake")
PROBE = "_probe"


class StoreUnfit(Exception):
    """A lake on a store is unsafe or impossible; the message names bucket and endpoint, never a credential, and says
    what to do.
    """


def problem_of_conditional_puts(lake: Bucket) -> str | None:
    """What makes a lake on this store unsafe or impossible, as a message for people; None when all is well."""
    try:
        check_conditional_puts(lake)
    except StoreUnfit as unfit:
        return str(unfit)
    return None


def check_conditional_puts(lake: Bucket) -> None:
    """Find out whether a lake may lie on this store.

    An empty object with a name of its own is put under the prefix of the lake twice, each time on the condition that
    there is none (If-None-Match: *), and removed again. A store that is fit for a lake refuses the second put; delta-rs
    relies on that for each commit.

    Args:
        lake: the prefix of the lake.

    Raises:
        StoreUnfit: when it may not, or cannot be used; caused by what the client raised.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    key = f"{PROBE}/{uuid.uuid4().hex}"
    try:
        honoured = _second_put_is_refused(lake, key)
    except ClientError as error:
        raise StoreUnfit(_refused(lake, error.response)) from error
    except BotoCoreError as error:
        raise StoreUnfit(unreachable(lake, error)) from error
    if not honoured:
        raise StoreUnfit(_unsafe(lake, "ignored the condition and overwrote an object"))


def _second_put_is_refused(lake: Bucket, key: str) -> bool:
    if not lake.create(key, b""):
        # The client sent the first put again because the answer was lost, and that was refused.
        _remove(lake, key)
        return True
    try:
        return not lake.create(key, b"")
    finally:
        _remove(lake, key)


def _remove(lake: Bucket, key: str) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        lake.delete(key)
    except (BotoCoreError, ClientError) as error:
        # Commits need no permission to remove anything.
        log.warning("the empty object %s stays in %s: it could not be removed: %s", key, place(lake), error)


def _unsafe(lake: Bucket, what: str) -> str:
    return (
        f"{place(lake)}: the store was asked to put an object only where there is none (If-None-Match: *), and it {what}. "
        "Commits to the lake rest on that: without it, two runs that commit at the same time overwrite each other's commit, and nobody is told. "
        "Use a store that honours If-None-Match (AWS S3, Cloudflare R2, MinIO from August 2024 on), let a proxy before the store pass the header on, "
        "or keep the lake in a directory."
    )


def _refused(lake: Bucket, answer: dict) -> str:
    code, status = str(answer["Error"].get("Code")), answer["ResponseMetadata"]["HTTPStatusCode"]
    if code == "NotImplemented" or status == 501:
        return _unsafe(lake, f"answered that it cannot ({code}, HTTP {status})")
    return refused(lake, answer, "ML_ASSETS_LAKE", writing=True)
