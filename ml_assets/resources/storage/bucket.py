"""Objects under a prefix of an S3 bucket: list with digests, read, write whole."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from ml_assets.resources.storage.stored_object import FileSize, StoredObject

# How stores refuse a conditional put of a key that is taken: 412 by the S3 API, 409 when another put of it is going on,
# 304 by older stores.
KEY_IS_TAKEN = ("PreconditionFailed", "412", "ConditionalRequestConflict", "NotModified", "304")
# Without its body, which may break off, an answer has its status alone.
NO_SUCH_KEY = ("NoSuchKey", "404")
ATTEMPTS = 3


class Bucket:
    """Objects under a prefix of an S3 bucket; the digest is the ETag."""

    def __init__(self, uri: str, s3: Mapping[str, str]):
        from dagster_aws.s3 import S3Resource

        self.bucket, _, path = uri.partition("://")[2].partition("/")
        self.prefix = path.strip("/")
        self._client = S3Resource(**s3).get_client()

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys that begin with `prefix`, in S3's order (by bytes)."""
        return (found.key for page in self.pages(prefix) for found in page)

    def describe(self, prefix: str) -> list[StoredObject]:
        """The objects whose keys begin with `prefix`, sorted by key."""
        return sorted((found for page in self.pages(prefix) for found in page), key=lambda found: found.key)

    def pages(self, prefix: str, after: str = "", before: str | None = None) -> Iterator[list[StoredObject]]:
        """The objects whose keys begin with `prefix`, come after `after` and before `before`, in S3's order (by bytes),
        one request a page.
        """
        cut = len(self.prefix) + 1 if self.prefix else 0
        begin = {"StartAfter": self._full(after)} if after else {}
        for page in self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self._full(prefix), **begin
        ):
            entries = page.get("Contents", [])
            found = [
                StoredObject(entry["Key"][cut:], entry["ETag"].strip('"'), entry["Size"], entry["LastModified"])
                for entry in entries
            ]
            wanted = [one for one in found if before is None or one.key < before]
            yield wanted
            if len(wanted) < len(found):
                return

    def read(self, key: str) -> bytes:
        """The content of one object.

        Raises:
            FileNotFoundError: when there is none.
        """
        from botocore.exceptions import ClientError

        try:
            return self._content(key)
        except ClientError as error:
            if error.response["Error"]["Code"] in NO_SUCH_KEY:
                raise FileNotFoundError(f"{key} is not in s3://{self.bucket}/{self.prefix}") from error
            raise

    def read_unchanged(self, found: StoredObject) -> bytes:
        """The content of an object that still has the ETag it was listed with.

        Raises:
            FileNotFoundError: when it has been replaced or removed.
        """
        from botocore.exceptions import ClientError

        try:
            return self._content(found.key, IfMatch=found.digest)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "412", *NO_SUCH_KEY):
                raise FileNotFoundError(f"{found.key} no longer has the digest {found.digest}") from error
            raise

    def _content(self, key: str, **conditions: str) -> bytes:
        """The content of an object; asked for again when the answer breaks off, which boto3 does only before its
        content begins.
        """
        from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

        for _ in range(ATTEMPTS - 1):
            with suppress(IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                return self._client.get_object(Bucket=self.bucket, Key=self._full(key), **conditions)["Body"].read()
        return self._client.get_object(Bucket=self.bucket, Key=self._full(key), **conditions)["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        """Put an object there whole or not at all."""
        self._client.put_object(Bucket=self.bucket, Key=self._full(key), Body=content)

    def create(self, key: str, content: bytes) -> bool:
        """Put an object there unless there is one (a conditional put, If-None-Match: *); returns whether it was put.

        Raises:
            botocore.exceptions.ClientError: when the store refuses for another reason.
        """
        from botocore.exceptions import ClientError

        try:
            self._client.put_object(Bucket=self.bucket, Key=self._full(key), Body=content, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in KEY_IS_TAKEN:
                return False
            raise
        return True

    @property
    def endpoint(self) -> str:
        """The address of the store, without a user name or password that it may hold."""
        return re.sub(r"//[^/]*@", "//", self._client.meta.endpoint_url)

    def date(self) -> str | None:
        """The store's time, as its answer to a list request has it in the header `Date`; None when it has none.

        Raises:
            botocore.exceptions.ClientError: when the store refuses the request.
        """
        answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=self._full(""), MaxKeys=1)
        return answer["ResponseMetadata"]["HTTPHeaders"].get("date")

    def sizes(self, prefix: str) -> list[FileSize]:
        """The objects whose keys begin with `prefix`, by key."""
        return [FileSize(found.key, found.size, found.modified) for page in self.pages(prefix) for found in page]

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        self._client.delete_object(Bucket=self.bucket, Key=self._full(key))

    def _full(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key
