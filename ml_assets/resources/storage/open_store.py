"""Opening a directory or an S3 bucket by its URI."""

import re
from collections.abc import Mapping
from pathlib import Path

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory

# For a request that somebody waits for: a store that is there answers within a second.
SECONDS_TO_ANSWER = 10


def open_objects(uri: str, s3: Mapping[str, str], seconds: float | None = None) -> Directory | Bucket:
    """Open the files under `uri`.

    Args:
        uri: a directory (a path or file://), or s3://bucket/prefix.
        s3: arguments of dagster-aws's S3Resource (endpoint_url, region_name); boto3 finds the credentials itself.
        seconds: the time in which a bucket has to answer, where somebody waits for it.

    Raises:
        ValueError: for another scheme.
    """
    # The standard library's parser would cut a path at # and ?, which names of folders may contain.
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://[^/]*", uri)
    if match is None:
        return Directory(Path(uri))
    scheme = match[1].lower()
    if scheme == "s3":
        return Bucket(uri, s3, seconds)
    if scheme == "file":
        return Directory(Path(uri[match.end() :]))
    raise ValueError(f"{uri}: expected a directory or s3://bucket/prefix")
