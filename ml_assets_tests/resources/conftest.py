"""Fixtures of the tests of outside systems: a lake on a directory and on S3."""

from pathlib import Path

import pytest

from ml_assets.resources.lake.lake import Lake


def lake_on(where: str, request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake on a `directory` or on an S3 server."""
    if where == "directory":
        return Lake(uri=str(tmp_path))
    uri, s3 = request.getfixturevalue("bucket")
    return Lake(uri=uri, s3=s3)


@pytest.fixture(params=["directory", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """Once on a directory and once on S3."""
    return lake_on(request.param, request, tmp_path)
