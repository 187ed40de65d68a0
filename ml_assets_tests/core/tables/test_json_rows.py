"""Rows as JSON are read back unchanged."""

import json
from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.tables.json_rows import rows_as_json
from ml_assets.core.tables.schemas import TIMESTAMP

SCHEMA = pa.schema([('a "name"', pa.int64()), ("number", pa.float64()), ("text", pa.string()), ("flag", pa.bool_())])
ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.text(),
    st.none() | st.booleans(),
)


@given(st.lists(ROW, max_size=5))
def test_every_value_comes_back(rows):
    records = [dict(zip(SCHEMA.names, row, strict=True)) for row in rows]
    assert [json.loads(text) for text in rows_as_json(pa.Table.from_pylist(records, SCHEMA)).to_pylist()] == records


def test_times_are_iso_and_values_that_json_lacks_are_null():
    table = pa.table(
        {
            "time": pa.array([datetime(2025, 1, 2, 3, 4, 5, 6, UTC)] * 3, TIMESTAMP),
            "x": [float("nan"), float("inf"), 1.5],
        }
    )
    assert [json.loads(text) for text in rows_as_json(table).to_pylist()] == [
        {"time": "2025-01-02T03:04:05.000006Z", "x": x} for x in (None, None, 1.5)
    ]
