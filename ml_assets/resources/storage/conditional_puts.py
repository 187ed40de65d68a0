"""A check that the S3 store of a lake honours conditional puts, without which two runs could overwrite each other's
commits.
"""

import logging
import uuid

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.s3_errors import bucket_at_endpoint, describe_refusal, describe_unreachable

log = logging.getLogger("ml_assets.lake")
PROBE = "_probe"


class StoreUnfit(Exception):
    """A store cannot hold a lake, or not safely. The message names bucket and endpoint, contains no credential, and
    says what to do.
    """


def problem_of_conditional_puts(lake: Bucket) -> str | None:
    """Return the reason why this store cannot hold a lake safely, as a message for people; None if it can."""
    try:
        check_conditional_puts(lake)
    except StoreUnfit as unfit:
        return str(unfit)
    return None


def check_conditional_puts(lake: Bucket) -> None:
    """Check that this store can hold a lake safely.

    An empty object with a unique name is put under the prefix of the lake twice, each time on the condition that it
    does not exist (If-None-Match: *), and deleted again. The store must refuse the second put; delta-rs relies on that
    for each commit.

    Args:
        lake: the prefix of the lake.

    Raises:
        StoreUnfit: when it cannot, or is not usable at all; the cause is the exception of the client.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    key = f"{PROBE}/{uuid.uuid4().hex}"
    try:
        honoured = _second_put_is_refused(lake, key)
    except ClientError as error:
        raise StoreUnfit(_refused(lake, error.response)) from error
    except BotoCoreError as error:
        raise StoreUnfit(describe_unreachable(lake, error)) from error
    if not honoured:
        raise StoreUnfit(_unsafe(lake, "ignored the condition and overwrote an object"))


def _second_put_is_refused(lake: Bucket, key: str) -> bool:
    if not lake.create(key, b""):
        # The client repeated the first put because the response was lost, and the store refused the repetition.
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
        # Commits do not need permission to delete.
        log.warning(
            "the empty object %s stays in %s: it could not be deleted: %s", key, bucket_at_endpoint(lake), error
        )


def _unsafe(lake: Bucket, what: str) -> str:
    return (
        f"{bucket_at_endpoint(lake)}: the store was asked to put an object only if it does not exist (If-None-Match: "
        f"*), and it {what}. Commits to the lake rely on that: without it, two runs that commit at the same time "
        "overwrite each other's commit, and no error is raised. Use a store that honours If-None-Match (AWS S3, "
        "Cloudflare R2, MinIO from August 2024 on), let a proxy in front of the store pass the header on, or keep the "
        "lake in a directory."
    )


def _refused(lake: Bucket, answer: dict) -> str:
    code, status = str(answer["Error"].get("Code")), answer["ResponseMetadata"]["HTTPStatusCode"]
    if code == "NotImplemented" or status == 501:
        return _unsafe(lake, f"answered that it cannot ({code}, HTTP {status})")
    return describe_refusal(lake, answer, "ML_ASSETS_LAKE", writing=True)
