"""The folder of a table in the lake: its files, read and written by their paths under the table."""

from collections.abc import Iterator
from dataclasses import dataclass

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory


@dataclass(frozen=True)
class TableFolder:
    """The files under a key of the lake; an empty key for all files."""

    files: Directory | Bucket
    key: str = ""

    def read(self, path: str) -> bytes:
        """Return the content of a file.

        Raises:
            FileNotFoundError: when there is no such file.
        """
        return self.files.read(self._full(path))

    def write(self, path: str, content: bytes) -> None:
        """Write a file atomically."""
        self.files.write(self._full(path), content)

    def paths(self) -> Iterator[str]:
        """Yield the paths of the files."""
        return (key.removeprefix(f"{self.key}/") for key in self.files.keys(f"{self.key}/" if self.key else ""))

    def _full(self, path: str) -> str:
        return f"{self.key}/{path}" if self.key else path
