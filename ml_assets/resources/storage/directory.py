"""Files under a local directory: list with digests, read, write whole."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import time
from uuid import uuid4

from ml_assets.resources.storage.stored_object import KEYS_PER_PAGE, FileSize, StoredObject

UNFINISHED = ".unfinished"
# Nobody takes this long to write a file: who began it is dead.
SECONDS_TO_WRITE = 3600


class KeyEscapes(ValueError):
    """A key leads out of the directory that it is relative to."""


class Directory:
    """Files under a local directory; the digest is the MD5 of the content, which is the ETag that S3 gives a
    single-part upload.

    A file is written under another name beside it first. What a process that died has left of one is never listed, and
    goes an hour later, when the file is written again or removed.

    A key that would lead out of the directory by its own text is refused wherever a file is named by one. Links count:
    whoever may put one into the directory may read and write where it leads.
    """

    def __init__(self, root: Path):
        self.root = root

    def keys(self, prefix: str = "", after: str = "", before: str | None = None) -> Iterator[str]:
        """Keys that begin with `prefix`, come after `after` and before `before`, sorted within each folder.

        Linked folders and files count; links that lead nowhere, and files that are not finished, do not.
        """
        top = self._path(prefix.rpartition("/")[0])
        above = {str(top): {os.path.realpath(top)}}
        for folder, folders, names in os.walk(top, followlinks=True):
            # A link to a folder that it lies in would be followed without end.
            on_the_way = above.pop(folder)
            keys_below = {name: Path(folder, name).relative_to(self.root).as_posix() + "/" for name in sorted(folders)}
            wanted = [name for name, below in keys_below.items() if _may_hold(below, prefix, after, before)]
            real = {name: os.path.realpath(os.path.join(folder, name)) for name in wanted}
            folders[:] = [name for name in real if real[name] not in on_the_way]
            above |= {os.path.join(folder, name): on_the_way | {real[name]} for name in folders}
            for name in sorted(names):
                path = Path(folder) / name
                key = path.relative_to(self.root).as_posix()
                is_asked_for = key.startswith(prefix) and after < key and (before is None or key < before)
                if is_asked_for and not _is_unfinished(name) and path.is_file():
                    yield key

    def describe(self, prefix: str) -> list[StoredObject]:
        """The files whose keys begin with `prefix`, sorted by key; one that vanishes meanwhile is left out."""
        return [found for page in self.pages(prefix) for found in page]

    def pages(self, prefix: str, after: str = "", before: str | None = None) -> Iterator[list[StoredObject]]:
        """The files whose keys begin with `prefix`, come after `after` and before `before`, sorted by key, in pages as
        a bucket gives them.
        """
        keys = sorted(self.keys(prefix, after, before))
        for begin in range(0, max(len(keys), 1), KEYS_PER_PAGE):
            yield [found for key in keys[begin : begin + KEYS_PER_PAGE] if (found := self._described(key))]

    def _described(self, key: str) -> StoredObject | None:
        try:
            content = self.read(key)
            modified = datetime.fromtimestamp(self._path(key).stat().st_mtime, tz=UTC)
        except FileNotFoundError:
            return None
        return StoredObject(key, _md5(content), len(content), modified)

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
            KeyEscapes: when the key leads out of the directory.
        """
        return self._path(key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        """Put a file there whole or not at all: a reader sees the old content or the new."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Processes of containers that share a directory may have the same number.
        unfinished = path.with_name(f".{path.name}.{uuid4().hex}{UNFINISHED}")
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        _remove_left(path)

    def sizes(self, prefix: str) -> list[FileSize]:
        """The files whose keys begin with `prefix`, by key, without reading them; one that vanishes meanwhile is left
        out.
        """
        found = []
        for key in self.keys(prefix):
            with suppress(FileNotFoundError):
                status = self._path(key).stat()
                found.append(FileSize(key, status.st_size, datetime.fromtimestamp(status.st_mtime, tz=UTC)))
        return found

    def delete(self, key: str) -> None:
        """Remove a file, if it is there, and its folder when that is empty then."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        _remove_left(path)
        if path.parent != self.root:
            with suppress(OSError):
                path.parent.rmdir()

    def _path(self, key: str) -> Path:
        if key.startswith("/") or "\0" in key or ".." in key.split("/"):
            raise KeyEscapes(f"{key!r} leads out of {self.root}")
        return self.root / key


def _may_hold(folder: str, prefix: str, after: str, before: str | None) -> bool:
    """Whether a key below a folder (with `/` at its end) can be one of those that are asked for."""
    if not (folder.startswith(prefix) or prefix.startswith(folder)):
        return False
    return (after < folder or after.startswith(folder)) and (before is None or folder < before)


def _is_unfinished(name: str) -> bool:
    return name.startswith(".") and name.endswith(UNFINISHED)


def _remove_left(path: Path) -> None:
    """Remove what processes that died have left of a file."""
    with suppress(FileNotFoundError), os.scandir(path.parent) as entries:
        for entry in entries:
            if (
                _is_unfinished(entry.name)
                and entry.name.startswith(f".{path.name}.")
                and entry.stat().st_mtime < time() - SECONDS_TO_WRITE
            ):
                os.unlink(entry)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
