"""Files under a root, on a directory or on S3 by URI alone."""

import re
from collections.abc import Mapping
from pathlib import Path

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory


def open_objects(uri: str, s3: Mapping[str, str]) -> Directory | Bucket:
    """Files under `uri`: a directory (a path or file://), or s3://bucket/prefix.

    Args:
        uri: where.
        s3: arguments of dagster-aws's S3Resource (endpoint_url, region_name); credentials come from where boto3 finds
            them.

    Raises:
        ValueError: for another scheme.
    """
    # The standard library's parser would cut a path at # and ?, which names of folders may hold.
    with_scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://[^/]*", uri)
    if with_scheme is None:
        return Directory(Path(uri))
    scheme = with_scheme[1].lower()
    if scheme == "s3":
        return Bucket(uri, s3)
    if scheme == "file":
        return Directory(Path(uri[with_scheme.end() :]))
    raise ValueError(f"{uri}: expected a directory or s3://bucket/prefix")
