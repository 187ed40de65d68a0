"""A read-only lake creates nothing and needs no permission to write."""

from datetime import date

import pyarrow as pa
import pytest

from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.read_only_lake import ReadOnlyLake

DAY = date(2025, 1, 1)
SCHEMA = pa.schema([("x", pa.int64())])


def test_commits_of_other_processes_are_read_and_nothing_is_written(lake: Lake):
    reader = ReadOnlyLake(uri=lake.uri, s3=lake.s3)
    with pytest.raises(LakeError, match="no such table yet"):
        reader.table("small", "rows", SCHEMA)
    assert list(lake.files.keys("")) == []
    written = lake.table("small", "rows", SCHEMA)
    table = reader.table("small", "rows", SCHEMA)
    written.commit({DAY: pa.table({"x": [1, 2]}, SCHEMA)}, {DAY: 7})
    table.refresh()
    assert table.read([DAY]).to_pydict() == {"x": [1, 2]}
    with pytest.raises(RuntimeError, match="reading only"):
        table.commit({}, {})


@pytest.mark.slow_on_s3
def test_a_column_that_the_table_does_not_have_yet_is_null(lake: Lake):
    lake.table("small", "rows", SCHEMA).commit({DAY: pa.table({"x": [1]}, SCHEMA)}, {DAY: 7})
    wider = pa.schema([*SCHEMA, ("y", pa.string())])
    assert ReadOnlyLake(uri=lake.uri, s3=lake.s3).table("small", "rows", wider).read([DAY]).to_pydict() == {
        "x": [1],
        "y": [None],
    }
