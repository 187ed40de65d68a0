"""Files under a root, on a directory or on S3 by URI alone: list with digests, read, write whole."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class StoredObject:
    """One file: key relative to the root with `/` between levels, digest of its content, size in bytes, when it was last written."""

    key: str
    digest: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class FileSize:
    """One file without a look at its content: key relative to the root, size in bytes, when it was last written."""

    key: str
    size: int
    modified: datetime


class Directory:
    """Files under a local directory; the digest is the MD5 of the content, which is the ETag that S3 gives a single-part upload."""

    def __init__(self, root: Path):
        self.root = root

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys that begin with `prefix`, sorted within each folder; linked folders and files count, links that lead nowhere do not."""
        top = self.root / prefix.rpartition("/")[0]
        above = {str(top): {os.path.realpath(top)}}
        for folder, folders, names in os.walk(top, followlinks=True):
            # A link to a folder that it lies in would be followed without end.
            on_the_way = above.pop(folder)
            real = {name: os.path.realpath(os.path.join(folder, name)) for name in sorted(folders)}
            folders[:] = [name for name in real if real[name] not in on_the_way]
            above |= {os.path.join(folder, name): on_the_way | {real[name]} for name in folders}
            for name in sorted(names):
                path = Path(folder) / name
                key = path.relative_to(self.root).as_posix()
                if key.startswith(prefix) and path.is_file():
                    yield key

    def describe(self, prefix: str) -> list[StoredObject]:
        """The files whose keys begin with `prefix`, sorted by key; one that vanishes meanwhile is left out."""
        found = []
        for key in sorted(self.keys(prefix)):
            try:
                content = self.read(key)
                modified = datetime.fromtimestamp((self.root / key).stat().st_mtime, tz=UTC)
            except FileNotFoundError:
                continue
            found.append(StoredObject(key, _md5(content), len(content), modified))
        return found

    def read_unchanged(self, found: StoredObject) -> bytes:
        """The content of a file that still has the digest it was listed with.

        Raises:
            FileNotFoundError: when it has been replaced or removed.
        """
        content = self.read(found.key)
        if _md5(content) != found.digest:
            raise FileNotFoundError(f"{found.key} no longer has the digest {found.digest}")
        return content

    def read(self, key: str) -> bytes:
        """The content of one file.

        Raises:
            FileNotFoundError: when there is none.
        """
        return (self.root / key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        """Put a file there whole or not at all: a reader sees the old content or the new."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(path)

    def sizes(self, prefix: str) -> list[FileSize]:
        """The files whose keys begin with `prefix`, by key, without reading them; one that vanishes meanwhile is left out."""
        found = []
        for key in self.keys(prefix):
            with suppress(FileNotFoundError):
                status = (self.root / key).stat()
                found.append(FileSize(key, status.st_size, datetime.fromtimestamp(status.st_mtime, tz=UTC)))
        return found

    def delete(self, key: str) -> None:
        """Remove a file, if it is there, and its folder when that is empty then."""
        path = self.root / key
        path.unlink(missing_ok=True)
        if path.parent != self.root:
            with suppress(OSError):
                path.parent.rmdir()


class Bucket:
    """Objects under a prefix of an S3 bucket; the digest is the ETag."""

    def __init__(self, uri: str, s3: Mapping[str, str]):
        from dagster_aws.s3 import S3Resource

        self.bucket, _, path = uri.partition("://")[2].partition("/")
        self.prefix = path.strip("/")
        self._client = S3Resource(**s3).get_client()

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys that begin with `prefix`, in S3's order (by bytes)."""
        return (found.key for found in self._list(prefix))

    def describe(self, prefix: str) -> list[StoredObject]:
        """The objects whose keys begin with `prefix`, sorted by key."""
        return sorted(self._list(prefix), key=lambda found: found.key)

    def read(self, key: str) -> bytes:
        """The content of one object.

        Raises:
            botocore.exceptions.ClientError: when there is none, or the store refuses.
        """
        return self._client.get_object(Bucket=self.bucket, Key=self._full(key))["Body"].read()

    def read_unchanged(self, found: StoredObject) -> bytes:
        """The content of an object that still has the ETag it was listed with.

        Raises:
            FileNotFoundError: when it has been replaced or removed.
        """
        from botocore.exceptions import ClientError

        try:
            return self._client.get_object(Bucket=self.bucket, Key=self._full(found.key), IfMatch=found.digest)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "NoSuchKey", "412", "404"):
                raise FileNotFoundError(f"{found.key} no longer has the digest {found.digest}") from error
            raise

    def write(self, key: str, content: bytes) -> None:
        """Put an object there whole or not at all."""
        self._client.put_object(Bucket=self.bucket, Key=self._full(key), Body=content)

    def sizes(self, prefix: str) -> list[FileSize]:
        """The objects whose keys begin with `prefix`, by key."""
        return [FileSize(found.key, found.size, found.modified) for found in self._list(prefix)]

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        self._client.delete_object(Bucket=self.bucket, Key=self._full(key))

    def _full(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _list(self, prefix: str) -> Iterator[StoredObject]:
        cut = len(self.prefix) + 1 if self.prefix else 0
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._full(prefix))
        for page in pages:
            for entry in page.get("Contents", []):
                yield StoredObject(entry["Key"][cut:], entry["ETag"].strip('"'), entry["Size"], entry["LastModified"])


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def open_objects(uri: str, s3: Mapping[str, str]) -> Directory | Bucket:
    """Files under `uri`: a directory (a path or file://), or s3://bucket/prefix.

    Args:
        uri: where.
        s3: arguments of dagster-aws's S3Resource (endpoint_url, region_name); credentials come from where boto3 finds them.

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
