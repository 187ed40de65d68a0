"""Files under a local directory: listing with digests, reading, atomic writing."""

import errno
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
# No process takes this long to write a file; older partial files belong to dead processes.
MAX_WRITE_SECONDS = 3600


class KeyEscapes(ValueError):
    """A key leads out of the directory to which it is relative."""


class UnreadableName(OSError):
    """The name of a file or folder is not UTF-8."""


class BrokenLink(OSError):
    """A symbolic link leads to a file or folder that does not exist."""


class Directory:
    """Files under a local directory. The digest of a file is the MD5 of its content, which is the ETag that S3 gives a
    single-part upload.

    A file is first written under another name in the same folder. A partial file of a dead process is never listed, and
    is deleted when its file is next written or deleted, after an hour at the earliest.

    A key whose text leads out of the directory is refused everywhere. Symbolic links are followed: a user who may
    create one in the directory may read and write its target.
    """

    def __init__(self, root: Path):
        self.root = root

    def keys(self, prefix: str = "", after: str = "", before: str | None = None) -> Iterator[str]:
        """Yield the keys that begin with `prefix` and lie after `after` and before `before`, sorted within each folder.

        Linked folders and files are included; broken links and partial files are not. A folder that does not exist has
        no files.

        Raises:
            OSError: when a folder cannot be listed, or is a file or a broken link, or the name of a file is not UTF-8.
        """
        return (key for key in self._list(prefix, after, before) if self._path(key).is_file())

    def _list(self, prefix: str, after: str, before: str | None) -> Iterator[str]:
        """Yield the same keys, and also those of broken links."""
        top = self._path(prefix.rpartition("/")[0])
        ancestors_of = {str(top): {os.path.realpath(top)}}
        for folder, folders, names in os.walk(top, onerror=self._refuse_unlistable, followlinks=True):
            # A link to a folder that contains it would be followed forever.
            ancestors = ancestors_of.pop(folder)
            prefixes = {name: Path(folder, name).relative_to(self.root).as_posix() + "/" for name in sorted(folders)}
            wanted = [
                name for name, folder_prefix in prefixes.items() if _may_contain(folder_prefix, prefix, after, before)
            ]
            real = {name: os.path.realpath(os.path.join(folder, name)) for name in wanted}
            folders[:] = [name for name in real if real[name] not in ancestors]
            ancestors_of |= {os.path.join(folder, name): ancestors | {real[name]} for name in folders}
            for name in sorted(names):
                path = Path(folder) / name
                key = path.relative_to(self.root).as_posix()
                is_in_range = key.startswith(prefix) and after < key and (before is None or key < before)
                if is_in_range and not _is_unfinished(name) and path.is_file():
                    _check_name(path)
                    yield key
                elif _is_broken(path) and (is_in_range or _may_contain(f"{key}/", prefix, after, before)):
                    # The broken link may have led to a folder with keys in the range.
                    yield key

    def _refuse_unlistable(self, error: OSError) -> None:
        """Raise an error that os.walk would ignore, unless a folder does not exist or has vanished."""
        if not isinstance(error, FileNotFoundError):
            raise error
        folder = Path(error.filename)
        for path in (folder, *folder.parents):
            if _is_broken(path):
                raise BrokenLink(error.errno, "is a broken link", str(path))
            if path == self.root:
                return

    def describe(self, prefix: str) -> list[StoredObject]:
        """Return the files whose keys begin with `prefix`, sorted by key, without files that vanish during the listing.

        Raises:
            OSError: as in `pages`.
        """
        return [stored for page in self.pages(prefix) for stored in page]

    def pages(self, prefix: str, after: str = "", before: str | None = None) -> Iterator[list[StoredObject]]:
        """Yield the files whose keys begin with `prefix` and lie after `after` and before `before`, sorted by key, in
        pages like those of a bucket.

        Raises:
            OSError: when a folder cannot be listed, or a file cannot be read, or is a broken link.
        """
        keys = sorted(self._list(prefix, after, before))
        for begin in range(0, max(len(keys), 1), KEYS_PER_PAGE):
            yield [stored for key in keys[begin : begin + KEYS_PER_PAGE] if (stored := self._describe_file(key))]

    def _describe_file(self, key: str) -> StoredObject | None:
        path = self._path(key)
        try:
            content = self.read(key)
            modified = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        except FileNotFoundError as error:
            if path.is_symlink():
                raise BrokenLink(error.errno, "is a broken link", str(path)) from error
            return None
        return StoredObject(key, _md5(content), len(content), modified)

    def read_unchanged(self, listed: StoredObject) -> bytes:
        """Return the content of a file if it still has the digest with which it was listed.

        Raises:
            FileNotFoundError: when it has been replaced or removed.
        """
        content = self.read(listed.key)
        if len(content) != listed.size or _md5(content) != listed.digest:
            raise FileNotFoundError(f"{listed.key} no longer has the digest {listed.digest}")
        return content

    def read(self, key: str) -> bytes:
        """Return the content of a file.

        Raises:
            FileNotFoundError: when there is no such file.
            KeyEscapes: when the key leads out of the directory.
        """
        return self._path(key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        """Write a file atomically: a reader sees the old content or the new."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        # A process ID would not be unique: processes of containers that share a directory may have the same.
        unfinished = path.with_name(f".{path.name}.{uuid4().hex}{UNFINISHED}")
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        _delete_partial_files(path)

    def sizes(self, prefix: str) -> list[FileSize]:
        """Return the sizes of the files whose keys begin with `prefix`, by key, without reading them; a file that
        vanishes during the listing is left out.
        """
        sizes = []
        for key in self.keys(prefix):
            with suppress(FileNotFoundError):
                status = self._path(key).stat()
                sizes.append(FileSize(key, status.st_size, datetime.fromtimestamp(status.st_mtime, tz=UTC)))
        return sizes

    def delete(self, key: str) -> None:
        """Delete a file, if it exists, and its folder if that is empty afterwards."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        _delete_partial_files(path)
        if path.parent != self.root:
            with suppress(OSError):
                path.parent.rmdir()

    def _path(self, key: str) -> Path:
        if key.startswith("/") or "\0" in key or ".." in key.split("/"):
            raise KeyEscapes(f"{key!r} leads out of {self.root}")
        return self.root / key


def _may_contain(folder: str, prefix: str, after: str, before: str | None) -> bool:
    """Return whether a folder (with `/` at its end) can contain a key with the prefix and in the range."""
    if not (folder.startswith(prefix) or prefix.startswith(folder)):
        return False
    return (after < folder or after.startswith(folder)) and (before is None or folder < before)


def _is_broken(link: Path) -> bool:
    return link.is_symlink() and not link.exists()


def _check_name(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        name = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        raise UnreadableName(errno.EILSEQ, "the name is not UTF-8; rename the file", name) from error


def _is_unfinished(name: str) -> bool:
    return name.startswith(".") and name.endswith(UNFINISHED)


def _delete_partial_files(path: Path) -> None:
    """Delete partial files of a file that dead processes left behind."""
    with suppress(FileNotFoundError), os.scandir(path.parent) as entries:
        for entry in entries:
            if (
                _is_unfinished(entry.name)
                and entry.name.startswith(f".{path.name}.")
                and entry.stat().st_mtime < time() - MAX_WRITE_SECONDS
            ):
                os.unlink(entry)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
