"""Objects under a prefix of an S3 bucket: listing with digests, reading, atomic writing."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ml_assets.core.extras import needs_extra
from ml_assets.resources.storage.stored_object import FileSize, StoredObject

# Error codes by which stores refuse a conditional put of an existing key: 412 in the S3 API, 409 while another put of
# the key is in progress, 304 in older stores.
KEY_EXISTS = ("PreconditionFailed", "412", "ConditionalRequestConflict", "NotModified", "304")
# A response whose body was cut off has only its status.
NO_SUCH_KEY = ("NoSuchKey", "404")
ATTEMPTS = 3
PROBES = 2
# Every listing of an S3 store has one of these elements, even a listing without objects.
LISTING_FIELDS = {"Contents", "Name", "KeyCount", "IsTruncated"}


# The ETag of an object that was uploaded in one part.
_MD5 = re.compile("[0-9a-f]{32}")


class ContentDiffers(Exception):
    """A store delivers content other than what it listed."""


class NoListing(Exception):
    """A server answered a list request with something other than a listing, so it is not an S3 store."""


class Bucket:
    """Objects under a prefix of an S3 bucket. The digest of an object is its ETag.

    seconds: timeout of a request that somebody waits for, which is tried PROBES times; None for the defaults of
    Dagster's S3Resource, a minute and five times.
    """

    def __init__(self, uri: str, s3: Mapping[str, str], seconds: float | None = None):
        with needs_extra("aws", f"a bucket ({uri})"):
            from dagster_aws.s3 import S3Resource

        self.bucket, _, path = uri.partition("://")[2].partition("/")
        self.prefix = path.strip("/")
        self._client = S3Resource(**s3).get_client() if seconds is None else _impatient_client(s3, seconds)
        self._has_md5_etags = True

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Return the keys that begin with `prefix`, in S3's order (by bytes)."""
        return (stored.key for page in self.pages(prefix) for stored in page)

    def describe(self, prefix: str) -> list[StoredObject]:
        """Return the objects whose keys begin with `prefix`, sorted by key."""
        return sorted((stored for page in self.pages(prefix) for stored in page), key=lambda stored: stored.key)

    def pages(self, prefix: str, after: str = "", before: str | None = None) -> Iterator[list[StoredObject]]:
        """Yield the objects whose keys begin with `prefix` and lie after `after` and before `before`, in S3's order (by
        bytes), one page for each request.

        Raises:
            botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: when the store refuses or does not
                respond.
            NoListing: when the response is not a listing.
        """
        prefix_length = len(self.prefix) + 1 if self.prefix else 0
        begin = {"StartAfter": self._full(after)} if after else {}
        for page in self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self._full(prefix), **begin
        ):
            if not LISTING_FIELDS & page.keys():
                raise NoListing(f"{self.endpoint} answered a list request of {self.bucket} with no listing")
            entries = page.get("Contents", [])
            listed = [
                StoredObject(
                    entry["Key"][prefix_length:], entry["ETag"].strip('"'), entry["Size"], entry["LastModified"]
                )
                for entry in entries
            ]
            wanted = [stored for stored in listed if before is None or stored.key < before]
            yield wanted
            if len(wanted) < len(listed):
                return

    def read(self, key: str) -> bytes:
        """Return the content of an object.

        Raises:
            FileNotFoundError: when there is no such object.
        """
        from botocore.exceptions import ClientError

        try:
            return self._content(key)
        except ClientError as error:
            if error.response["Error"]["Code"] in NO_SUCH_KEY:
                raise FileNotFoundError(f"{key} is not in s3://{self.bucket}/{self.prefix}") from error
            raise

    def read_unchanged(self, listed: StoredObject) -> bytes:
        """Return the content of an object if it is the one that was listed: its ETag, its length and, where the ETag is
        the MD5 of the content, its MD5 are compared.

        Raises:
            FileNotFoundError: when it has been replaced or removed.
            ContentDiffers: when the store delivers something other than what it listed, twice.
        """
        from botocore.exceptions import ClientError

        try:
            content, etag = self._get(listed.key, IfMatch=listed.digest)
            if etag != listed.digest:
                # The store ignores the condition.
                raise FileNotFoundError(f"{listed.key} no longer has the digest {listed.digest}")
            if self._is_as_listed(content, listed):
                return content
            again, _ = self._get(listed.key, IfMatch=listed.digest)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "412", *NO_SUCH_KEY):
                raise FileNotFoundError(f"{listed.key} no longer has the digest {listed.digest}") from error
            raise
        if self._is_as_listed(again, listed):
            return again
        if len(again) == listed.size and again == content:
            # With a custom encryption key, or behind a gateway, a store may have other ETags.
            self._has_md5_etags = False
            return again
        raise ContentDiffers(
            f"{listed.key} in s3://{self.bucket}/{self.prefix} was listed with {listed.size} bytes and the digest "
            f"{listed.digest}, and delivered with {len(again)} bytes that differ from it"
        )

    def _is_as_listed(self, content: bytes, listed: StoredObject) -> bool:
        if len(content) != listed.size:
            return False
        if not self._has_md5_etags or not _MD5.fullmatch(listed.digest):
            return True
        return hashlib.md5(content, usedforsecurity=False).hexdigest() == listed.digest

    def _content(self, key: str) -> bytes:
        return self._get(key)[0]

    def _get(self, key: str, **conditions: str) -> tuple[bytes, str]:
        """Return the content and the ETag of an object. Retries a response that breaks off, because boto3 retries only
        until the content begins.
        """
        from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

        for attempt in range(1, ATTEMPTS + 1):
            response = self._client.get_object(Bucket=self.bucket, Key=self._full(key), **conditions)
            try:
                return response["Body"].read(), response["ETag"].strip('"')
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def write(self, key: str, content: bytes) -> None:
        """Write an object atomically."""
        self._client.put_object(Bucket=self.bucket, Key=self._full(key), Body=content)

    def create(self, key: str, content: bytes) -> bool:
        """Write an object unless its key exists (a conditional put, If-None-Match: *); return whether it was written.

        Raises:
            botocore.exceptions.ClientError: when the store refuses for another reason.
        """
        from botocore.exceptions import ClientError

        try:
            self._client.put_object(Bucket=self.bucket, Key=self._full(key), Body=content, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in KEY_EXISTS:
                return False
            raise
        return True

    @property
    def endpoint(self) -> str:
        """The URL of the store, without user name and password."""
        return re.sub(r"//[^/]*@", "//", self._client.meta.endpoint_url)

    def date(self) -> str | None:
        """Return the time of the store, from the header `Date` of its response to a list request; None without the
        header.

        Raises:
            botocore.exceptions.ClientError: when the store refuses the request.
        """
        response = self._client.list_objects_v2(Bucket=self.bucket, Prefix=self._full(""), MaxKeys=1)
        return response["ResponseMetadata"]["HTTPHeaders"].get("date")

    def sizes(self, prefix: str) -> list[FileSize]:
        """Return the sizes of the objects whose keys begin with `prefix`, by key."""
        return [FileSize(stored.key, stored.size, stored.modified) for page in self.pages(prefix) for stored in page]

    def delete(self, key: str) -> None:
        """Delete an object, if it exists."""
        self._client.delete_object(Bucket=self.bucket, Key=self._full(key))

    def _full(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key


def _impatient_client(s3: Mapping[str, str], seconds: float) -> Any:
    from boto3.session import Session
    from botocore.config import Config

    attempts = {"mode": "standard", "total_max_attempts": PROBES}
    return Session().client("s3", **s3, config=Config(connect_timeout=seconds, read_timeout=seconds, retries=attempts))
