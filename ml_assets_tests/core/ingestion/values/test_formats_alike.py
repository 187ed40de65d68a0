"""One table gives the same typed rows from Parquet, CSV and JSON lines."""

import csv
import io
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import example, given
from hypothesis import strategies as st

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.core.features.feature_cases import spec_with

COLUMNS = {
    "id": {"type": "integer"},
    "time": {"type": "timestamp"},
    "label": {"type": "integer", "allowed": [0, 1], "nullable": True},
    "amount": {"type": "number", "nullable": True},
    "shop": {"type": "string", "nullable": True},
    "online": {"type": "boolean", "nullable": True},
    "until": {"type": "timestamp", "nullable": True},
}
TYPES = pa.schema(
    [
        ("id", pa.int64()),
        ("time", pa.timestamp("us", "UTC")),
        ("label", pa.int64()),
        ("amount", pa.float64()),
        ("shop", pa.string()),
        ("online", pa.bool_()),
        ("until", pa.timestamp("us")),
    ]
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(-(2**63), 2**63 - 1),
            "time": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda time: time.replace(tzinfo=UTC)),
            "label": st.none() | st.integers(0, 1),
            "amount": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "shop": st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=5),
            "online": st.none() | st.booleans(),
            "until": st.none() | st.datetimes(),
        }
    ),
    min_size=1,
    max_size=5,
)


def spec_in(zone: str) -> ModelSpec:
    return spec_with({"kind": "column", "columns": ["amount"]}, time_zone=zone, columns=COLUMNS)


SPECS = [spec_in("UTC"), spec_in("America/New_York")]


def in_csv(rows: list[dict]) -> bytes:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def in_json(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row, default=str, ensure_ascii=False) + "\n" for row in rows).encode()


def in_parquet(rows: list[dict]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, TYPES), sink)
    return sink.getvalue()


FAR = {"label": None, "amount": 5e-324, "shop": "\U0010ffff", "online": True}


@given(ROWS)
@example([{"id": 2**53 + 1, "time": datetime(1600, 2, 29, tzinfo=UTC), "until": datetime(9999, 12, 31), **FAR}])
@example([{"id": 0, "time": datetime(2300, 1, 1, tzinfo=UTC), "until": datetime(9999, 12, 31, 23, 59, 59), **FAR}])
def test_the_three_formats_give_equal_rows(rows):
    for spec in SPECS:
        tables = []
        for ending, content in [("parquet", in_parquet(rows)), ("csv", in_csv(rows)), ("jsonl", in_json(rows))]:
            file = read_landed_file(spec, f"a.{ending}", content)
            assert file.rows is not None, file.fault
            tables.append(file.rows.drop_columns(["_source_file", "_unreadable_values"]).to_pylist())
        assert tables[0] == tables[1] == tables[2]
        assert [row["id"] for row in tables[0]] == [row["id"] for row in rows]
