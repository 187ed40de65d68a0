"""Segments of served requests in the lake: Parquet files by day that many processes write independently.

The name of a segment identifies the source of its rows, so writing it twice leaves one. A segment is complete or does
not exist, because a put is atomic. The stage served_requests commits the segments of a day to its table.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.resources.storage.stored_object import FileSize

if TYPE_CHECKING:
    import pyarrow as pa

    from ml_assets.resources.storage.bucket import Bucket
    from ml_assets.resources.storage.directory import Directory

FOLDER = "served_segments"


class DamagedSegment(Exception):
    """A segment cannot be read; the message names it and the reason."""


class Segments:
    """The segments of one model.

    Args:
        files: the files of the lake.
        model: name of the model.
    """

    def __init__(self, files: "Directory | Bucket", model: str) -> None:
        self._files = files
        self._root = f"{model}/{FOLDER}/"

    def write(self, day: date, name: str, rows: "pa.Table") -> None:
        """Write the segment of a day, or replace it."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd")
        self._files.write(f"{self._prefix(day)}{name}.parquet", sink.getvalue().to_pybytes())

    def list(self, day: date) -> Sequence[FileSize]:
        """List the segments of a day, by key."""
        return sorted(self._files.sizes(self._prefix(day)), key=lambda file: file.key)

    def list_all(self) -> Sequence[FileSize]:
        """List the segments of all days."""
        return self._files.sizes(self._root)

    def day_of(self, key: str) -> date | None:
        """Return the day of a segment; None for any other file."""
        folder = key.removeprefix(self._root).partition("/")[0]
        try:
            return date.fromisoformat(folder.removeprefix("day="))
        except ValueError:
            return None

    def read(self, key: str) -> "pa.Table":
        """Return the rows of a segment.

        Raises:
            DamagedSegment: when it is not a Parquet file, or gone.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        from ml_assets.core.tables.arrow_memory import open_content

        try:
            return pq.ParquetFile(open_content(self._files.read(key)), pre_buffer=False).read(use_threads=False)
        except (pa.ArrowException, FileNotFoundError) as error:
            raise DamagedSegment(f"{key}: {error}") from error

    def delete(self, key: str) -> None:
        """Delete a segment, if it exists."""
        self._files.delete(key)

    def _prefix(self, day: date) -> str:
        return f"{self._root}day={day.isoformat()}/"


def remove_segments(segments: Segments, oldest: date, dry_run: bool) -> list[int]:
    """Delete the segments of days before `oldest`; return their sizes.

    Args:
        segments: the segments of a model.
        oldest: the first day that stays.
        dry_run: delete nothing.
    """
    going = [file for file in segments.list_all() if (day := segments.day_of(file.key)) and day < oldest]
    for file in [] if dry_run else going:
        segments.delete(file.key)
    return [file.size for file in going]
