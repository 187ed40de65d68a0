"""The folder of a table in the lake: its files, read and written by their paths under the table."""

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

    def _full(self, path: str) -> str:
        return f"{self.key}/{path}" if self.key else path
