"""What is read from the landing is what was listed: length and digest are compared, in a directory and a bucket."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.landing import Landing, ObjectChanged
from ml_assets.resources.storage.stored_object import StoredObject

CONTENT = b"a,b\n1,2\n3,4\n"
LISTED = StoredObject("day/rows.csv", "f" * 32, len(CONTENT), datetime(2025, 1, 1, tzinfo=UTC))


@pytest.fixture
def listed(lake):
    """A landing with one file, and the file as it is listed."""
    landing = Landing(uri=lake.uri, s3=lake.s3)
    lake.files.write("day/rows.csv", CONTENT)
    (stored,) = lake.files.describe("day/")
    return landing, stored


def test_what_was_listed_is_read(listed):
    landing, stored = listed
    assert (landing.read(stored), stored.size) == (CONTENT, len(CONTENT))


@pytest.mark.parametrize("content", [CONTENT[:-4], CONTENT.replace(b"4", b"5"), b""])
def test_a_file_that_changed_since_it_was_listed_is_named(listed, lake, content):
    landing, stored = listed
    lake.files.write("day/rows.csv", content)
    with pytest.raises(ObjectChanged, match=r"day/rows\.csv"):
        landing.read(stored)
    lake.files.delete("day/rows.csv")
    with pytest.raises(ObjectChanged, match=r"day/rows\.csv"):
        landing.read(stored)


class Deliveries:
    """Stands for a store that ignores conditions and delivers what it is told."""

    def __init__(self, etag: str, *contents: bytes):
        self.etag = etag
        self.contents = list(contents)

    def __call__(self, key: str, **conditions: str) -> tuple[bytes, str]:
        return self.contents.pop(0), self.etag


@pytest.mark.parametrize(
    ("etag", "contents", "problem"),
    [
        (None, [CONTENT[:-1], CONTENT], None),
        (None, [CONTENT[:-1], CONTENT[:-1]], "delivered with 11 bytes"),
        (None, [CONTENT[:-1] + b"x", CONTENT[:-2] + b"yz"], "delivered with 12 bytes"),
        ("0" * 32, [CONTENT], "was replaced or removed"),
    ],
    ids=["cut off once", "cut off", "garbled", "another ETag"],
)
def test_a_bucket_delivers_what_it_listed_or_the_file_is_named(monkeypatch, etag, contents, problem):
    bucket = Bucket("s3://b/p", {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1"})
    stored = replace(LISTED, digest=hashlib.md5(CONTENT, usedforsecurity=False).hexdigest())
    monkeypatch.setattr(bucket, "_get", Deliveries(etag or stored.digest, *contents))
    landing = Landing(uri="s3://b/p")
    landing.__dict__["_objects"] = bucket
    if problem is None:
        assert landing.read(stored) == CONTENT
        return
    with pytest.raises(ObjectChanged, match=rf"day/rows\.csv.*{problem}"):
        landing.read(stored)


def test_a_store_whose_etags_are_no_md5_is_read(monkeypatch):
    bucket = Bucket("s3://b/p", {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1"})
    deliveries = Deliveries(LISTED.digest, CONTENT, CONTENT, CONTENT)
    monkeypatch.setattr(bucket, "_get", deliveries)
    assert bucket.read_unchanged(LISTED) == CONTENT
    assert bucket.read_unchanged(LISTED) == CONTENT
    assert deliveries.contents == []
