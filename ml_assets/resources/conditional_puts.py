"""Whether the S3 store of a lake honours conditional puts, without which two runs could overwrite each other's commits."""

import logging
import uuid

from ml_assets.resources.bucket import Bucket

log = logging.getLogger("ml_assets.lake")
PROBE = "_probe"
NOT_ALLOWED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AllAccessDisabled", "403", "401")


def problem_of_conditional_puts(lake: Bucket) -> str | None:
    """What makes a lake on this store unsafe or impossible, as a message for people; None when all is well.

    An empty object with a name of its own is put under the prefix of the lake twice, each time on the condition that there is none
    (If-None-Match: *), and removed again. A store that is fit for a lake refuses the second put; delta-rs relies on that for each commit.

    Args:
        lake: the prefix of the lake.

    Returns:
        A message that names bucket and endpoint, never a credential, and says what to do.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    key = f"{PROBE}/{uuid.uuid4().hex}"
    try:
        honoured = _second_put_is_refused(lake, key)
    except ClientError as error:
        return _refused(lake, error.response)
    except BotoCoreError as error:
        return _unreachable(lake, error)
    return None if honoured else _unsafe(lake, "ignored the condition and overwrote an object")


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
        log.warning("the empty object %s stays in %s: it could not be removed: %s", key, _place(lake), error)


def _unsafe(lake: Bucket, what: str) -> str:
    return (
        f"{_place(lake)}: the store was asked to put an object only where there is none (If-None-Match: *), and it {what}. "
        "Commits to the lake rest on that: without it, two runs that commit at the same time overwrite each other's commit, and nobody is told. "
        "Use a store that honours If-None-Match (AWS S3, Cloudflare R2, MinIO from August 2024 on), let a proxy before the store pass the header on, "
        "or keep the lake in a directory."
    )


def _refused(lake: Bucket, answer: dict) -> str:
    code, status = str(answer["Error"].get("Code")), answer["ResponseMetadata"]["HTTPStatusCode"]
    if code == "NotImplemented" or status == 501:
        return _unsafe(lake, f"answered that it cannot ({code}, HTTP {status})")
    if code in ("NoSuchBucket", "404"):
        return f"{_place(lake)}: there is no such bucket. Create it, or correct the URI (ML_ASSETS_LAKE) or the endpoint (AWS_ENDPOINT_URL)."
    if code in NOT_ALLOWED or status in (401, 403):
        return (
            f"{_place(lake)}: the store does not let this process write ({code}, HTTP {status}). Check that the credentials that boto3 finds are "
            "those meant for this bucket and have not expired, and that they allow s3:PutObject, s3:GetObject and s3:ListBucket on it."
        )
    return f"{_place(lake)}: the store refused a put ({code}, HTTP {status}). Check bucket, region (AWS_REGION) and endpoint (AWS_ENDPOINT_URL)."


def _unreachable(lake: Bucket, error: Exception) -> str:
    from botocore.exceptions import CredentialRetrievalError, NoCredentialsError, PartialCredentialsError

    what = type(error).__name__
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return f"{_place(lake)}: no usable credentials ({what}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role."
    return f"{_place(lake)}: the store cannot be reached ({what}). Check the endpoint (AWS_ENDPOINT_URL), the network, and that the store runs."


def _place(lake: Bucket) -> str:
    return f"bucket {lake.bucket} at {lake.endpoint}"
