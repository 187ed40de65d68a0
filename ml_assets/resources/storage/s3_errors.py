"""Error messages about an S3 store that refuses a request or does not respond. They say what to do and contain no
credentials.
"""

from typing import Any

from ml_assets.core.operations.failures.error_signatures import S3_ACCESS_DENIED
from ml_assets.resources.storage.bucket import Bucket


def describe_refusal(bucket: Bucket, response: Any, variable: str, writing: bool) -> str:
    """Describe a request that a store refused.

    Args:
        bucket: the bucket of the request.
        response: the response of botocore's ClientError.
        variable: the environment variable that names the location.
        writing: whether the request would have written.
    """
    code, status = str(response["Error"].get("Code")), response["ResponseMetadata"]["HTTPStatusCode"]
    if code in ("NoSuchBucket", "404"):
        return (
            f"{bucket_at_endpoint(bucket)}: there is no such bucket. Create it, or correct the URI ({variable}) or the "
            "endpoint (AWS_ENDPOINT_URL)."
        )
    if code in S3_ACCESS_DENIED or code in ("401", "403") or status in (401, 403):
        permissions = "s3:PutObject, s3:GetObject and s3:ListBucket" if writing else "s3:GetObject and s3:ListBucket"
        return (
            f"{bucket_at_endpoint(bucket)}: the store does not let this process {'write' if writing else 'read'} "
            f"({code}, HTTP {status}). Check that the credentials that boto3 finds are those meant for this bucket and "
            f"have not expired, and that they allow {permissions} on it."
        )
    request = "put" if writing else "list request"
    return (
        f"{bucket_at_endpoint(bucket)}: the store refused a {request} ({code}, HTTP {status}). Check bucket, region "
        "(AWS_REGION) and endpoint (AWS_ENDPOINT_URL)."
    )


def describe_unreachable(bucket: Bucket, error: Exception) -> str:
    """Describe a request that got no response."""
    from botocore.exceptions import CredentialRetrievalError, NoCredentialsError, PartialCredentialsError

    kind = type(error).__name__
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return (
            f"{bucket_at_endpoint(bucket)}: no usable credentials ({kind}). Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role."
        )
    return (
        f"{bucket_at_endpoint(bucket)}: the store cannot be reached ({kind}). Check the endpoint (AWS_ENDPOINT_URL), "
        "the network, and that the store runs."
    )


def bucket_at_endpoint(bucket: Bucket) -> str:
    """Return bucket and endpoint, for a message."""
    return f"bucket {bucket.bucket} at {bucket.endpoint}"
