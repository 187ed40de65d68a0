"""A planned lake returns committed and assumed fingerprints, and does not change the lake."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.planned_lake import PlannedLake, PlannedTable

SCHEMA = pa.schema([("n", pa.int64())])
FIRST, SECOND = date(2025, 1, 1), date(2025, 1, 2)


def content(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def planned(lake: Lake, schema: pa.Schema = SCHEMA) -> tuple[PlannedLake, PlannedTable]:
    view = PlannedLake(uri=lake.uri, s3=lake.s3)
    table = view.table("m", "a", schema)
    assert isinstance(table, PlannedTable)
    return view, table


@pytest.mark.slow_on_s3
def test_a_table_that_does_not_exist_is_empty_and_is_not_created(lake):
    _, table = planned(lake)
    assert table.fingerprint(FIRST) is None
    assert table.row_counts() == {}
    assert table.read([FIRST]).num_rows == 0
    assert list(lake.files.keys()) == []


@pytest.mark.slow_on_s3
def test_an_assumed_fingerprint_replaces_the_committed_one_in_this_lake_only(lake):
    lake.table("m", "a", SCHEMA).commit({FIRST: pa.table({"n": [1, 2]}, SCHEMA)}, {FIRST: 7})
    view, table = planned(lake)
    assert table.fingerprint(FIRST) == 7
    table.assume_fingerprint(FIRST, 8)
    table.assume_fingerprint(SECOND, 9)
    assert (table.fingerprint(FIRST), table.fingerprint(SECOND)) == (8, 9)
    assert (table.committed_fingerprint(FIRST), table.committed_fingerprint(SECOND)) == (7, None)
    assert view.table("m", "a", SCHEMA).fingerprint(FIRST) == 8
    assert planned(lake)[1].fingerprint(FIRST) == 7
    assert table.row_counts() == {FIRST: 2}


def test_fingerprint_reads_are_recorded_once(tmp_path):
    view, table = planned(Lake(uri=str(tmp_path)))
    for day in (SECOND, FIRST, SECOND):
        table.fingerprint(day)
    table.committed_fingerprint(FIRST)
    assert view.take_fingerprint_reads() == [("a", SECOND), ("a", FIRST)]
    assert view.take_fingerprint_reads() == []


def test_new_columns_are_not_added_and_read_as_null(tmp_path):
    Lake(uri=str(tmp_path)).table("m", "a", SCHEMA).commit({FIRST: pa.table({"n": [1]}, SCHEMA)}, {FIRST: 7})
    before = content(tmp_path)
    _, table = planned(Lake(uri=str(tmp_path)), pa.schema([*SCHEMA, ("more", pa.string())]))
    assert table.read([FIRST]).to_pylist() == [{"n": 1, "more": None}]
    assert content(tmp_path) == before


def test_a_column_of_another_type_is_planned_and_not_changed(tmp_path):
    Lake(uri=str(tmp_path)).table("m", "a", SCHEMA).commit({FIRST: pa.table({"n": [1]}, SCHEMA)}, {FIRST: 7})
    before = content(tmp_path)
    _, table = planned(Lake(uri=str(tmp_path)), pa.schema([("n", pa.string())]))
    assert (table.fingerprint(FIRST), table.row_counts()) == (7, {FIRST: 1})
    with pytest.raises(LakeError, match="the table still has n of type int64"):
        table.read([FIRST])
    assert content(tmp_path) == before


def test_a_commit_is_refused(tmp_path):
    _, table = planned(Lake(uri=str(tmp_path)))
    with pytest.raises(RuntimeError, match="is open for reading only"):
        table.commit({FIRST: pa.table({"n": [1]}, SCHEMA)}, {FIRST: 7})
