"""What it means that an S3 store refuses a request or does not answer, as messages for people that say what to do and
show no credential.
"""

from typing import Any

from ml_assets.core.operations.failures.error_signatures import S3_ACCESS_DENIED
from ml_assets.resources.storage.bucket import Bucket


def refused(bucket: Bucket, answer: Any, variable: str, writing: bool) -> str:
    """What is wrong when a store answers a request with an error.

    Args:
        bucket: where.
        answer: the response of botocore's ClientError.
        variable: the environment variable that names the place.
        writing: whether the request would have written.
    """
    code, status = str(answer["Error"].get("Code")), answer["ResponseMetadata"]["HTTPStatusCode"]
    if code in ("NoSuchBucket", "404"):
        return f"{place(bucket)}: there is no such bucket. Create it, or correct the URI ({variable}) or the endpoint (AWS_ENDPOINT_URL)."
    if code in S3_ACCESS_DENIED or code in ("401", "403") or status in (401, 403):
        needed = "s3:PutObject, s3:GetObject and s3:ListBucket" if writing else "s3:GetObject and s3:ListBucket"
        return (
            f"{place(bucket)}: the store does not let this process {'write' if writing else 'read'} ({code}, HTTP {status}). Check that the "
            f"credentials that boto3 finds are those meant for this bucket and have not expired, and that they allow {needed} on it."
        )
    what = "put" if writing else "list request"
    return f"{place(bucket)}: the store refused a {what} ({code}, HTTP {status}). Check bucket, region (AWS_REGION) and endpoint (AWS_ENDPOINT_URL)."


def unreachable(bucket: Bucket, error: Exception) -> str:
    """What is wrong when a request got no answer."""
    from botocore.exceptions import CredentialRetrievalError, NoCredentialsError, PartialCredentialsError

    what = type(error).__name__
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return f"{place(bucket)}: no usable credentials ({what}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role."
    return f"{place(bucket)}: the store cannot be reached ({what}). Check the endpoint (AWS_ENDPOINT_URL), the network, and that the store runs."


def place(bucket: Bucket) -> str:
    """Bucket and endpoint."""
    return f"bucket {bucket.bucket} at {bucket.endpoint}"
