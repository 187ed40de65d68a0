"""Opening a directory or an S3 bucket by its URI."""

import re
from collections.abc import Mapping
from pathlib import Path

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory

# Timeout of a request that somebody waits for; a reachable store answers within a second.
SECONDS_TO_ANSWER = 10
# The standard library's parser would cut a path at # and ?, which folder names may contain.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://[^/]*")
_ONE_SLASH = re.compile(r"(s3|file):/?(?!/)", re.IGNORECASE)


def open_objects(uri: str, s3: Mapping[str, str], seconds: float | None = None) -> Directory | Bucket:
    """Open the files under `uri`.

    Args:
        uri: a directory (a path or file://), or s3://bucket/prefix.
        s3: arguments of dagster-aws's S3Resource (endpoint_url, region_name); boto3 finds the credentials itself.
        seconds: timeout for a bucket, if somebody waits for the answer.

    Raises:
        ValueError: for another scheme.
    """
    check_place(uri)
    match = _SCHEME.match(uri)
    if match is None:
        return Directory(Path(uri))
    if match[1].lower() == "s3":
        return Bucket(uri, s3, seconds)
    return Directory(Path(uri[match.end() :]))


def check_place(uri: str, name: str = "") -> None:
    """Check that a URI names a directory or a bucket.

    Args:
        uri: the URI.
        name: name of the environment variable with the URI, for the message.

    Raises:
        ValueError: for another scheme, or a scheme with fewer slashes.
    """
    match = _SCHEME.match(uri)
    if _ONE_SLASH.match(uri) or (match is not None and match[1].lower() not in ("s3", "file")):
        raise ValueError(f"{name} {uri}: expected a directory or s3://bucket/prefix".lstrip())
