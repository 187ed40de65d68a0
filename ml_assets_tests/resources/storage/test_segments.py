"""Segments of served requests: written once under their name, listed by day, removed with their days."""

from datetime import date

import pyarrow as pa
import pytest

from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.segments import FOLDER, DamagedSegment, Segments, remove_segments

FIRST, SECOND = date(2025, 1, 1), date(2025, 1, 2)


@pytest.fixture
def segments(tmp_path) -> Segments:
    segments = Segments(Directory(tmp_path), "fraud")
    for day, name in ((FIRST, "a"), (FIRST, "b"), (SECOND, "a")):
        segments.write(day, name, pa.table({"id": [day.day]}))
    return segments


def test_a_segment_that_is_written_twice_is_there_once(segments):
    segments.write(FIRST, "a", pa.table({"id": [1]}))
    keys = [file.key for file in segments.list(FIRST)]
    assert keys == [f"fraud/{FOLDER}/day=2025-01-01/{name}.parquet" for name in "ab"]
    assert [segments.read(key)["id"].to_pylist() for key in keys] == [[1], [1]]
    assert segments.list(date(2025, 1, 3)) == []


def test_a_segment_that_cannot_be_read_is_named(segments, tmp_path):
    path = tmp_path / segments.list(SECOND)[0].key
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DamagedSegment, match="day=2025-01-02/a"):
        segments.read(f"fraud/{FOLDER}/day=2025-01-02/a.parquet")
    with pytest.raises(DamagedSegment, match="nothing"):
        segments.read("nothing")


def test_old_days_are_removed_and_other_files_stay(segments, tmp_path):
    (tmp_path / "fraud" / FOLDER / "notes.txt").write_text("not a segment")
    assert len(remove_segments(segments, SECOND, dry_run=True)) == 2
    assert len(segments.list(FIRST)) == 2
    assert len(remove_segments(segments, SECOND, dry_run=False)) == 2
    assert segments.list(FIRST) == []
    assert sorted(file.key.rpartition("/")[2] for file in segments.list_all()) == ["a.parquet", "notes.txt"]
