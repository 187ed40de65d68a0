"""Files are read whatever is wrong with them; faults come back as values."""

import gzip
import io
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets.core.landed_files import read_landed_file

CSV = b"id,event_time,card,amount,label,comment\n1,2025-01-01 10:00:00,A,1.5,0,hello\n2,2025-01-01 11:00:00,B,x,1,\n"


def parquet(**columns) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_the_three_formats_give_the_same_rows(make_spec):
    spec = make_spec()
    rows = [{"id": 1, "event_time": "2025-01-01T10:00:00", "card": "A", "amount": 1.5, "label": 0}]
    times = pa.array([datetime(2025, 1, 1, 10)])
    files = {
        "a.csv": b"id,event_time,card,amount,label\n1,2025-01-01 10:00:00,A,1.5,0\n",
        "a.csv.gz": gzip.compress(b"id,event_time,card,amount,label\n1,2025-01-01 10:00:00,A,1.5,0\n"),
        "a.jsonl": "\n".join(json.dumps(row) for row in rows).encode(),
        "a.parquet": parquet(id=[1], event_time=times, card=["A"], amount=[1.5], label=[0]),
    }
    for key, content in files.items():
        file = read_landed_file(spec, key, content)
        assert file.fault is None, key
        assert file.rows is not None
        expected = {**rows[0], "event_time": datetime(2025, 1, 1, 10, tzinfo=UTC), "_source_file": key, "_source_row": 0, "_unreadable_values": None}
        assert file.rows.to_pylist() == [expected]


def test_columns_are_renamed_and_others_left_out(make_spec, small):
    small["columns"]["amount"]["source"] = "comment"
    file = read_landed_file(make_spec(columns=small["columns"]), "a.csv", CSV)
    assert file.rows is not None
    assert file.rows["amount"].to_pylist() == [None, None]
    assert "comment" not in file.rows.column_names


def test_a_value_that_cannot_be_read_keeps_its_text(make_spec):
    rows = read_landed_file(make_spec(), "a.csv", CSV).rows
    assert rows is not None
    assert rows["amount"].to_pylist() == [1.5, None]
    assert rows["_unreadable_values"].to_pylist() == [None, '{"amount": "x"}']


def test_a_missing_column_is_a_fault_of_the_file_that_names_it(make_spec):
    file = read_landed_file(make_spec(), "a.csv", b"id,event_time,card,label\n1,2025-01-01 10:00:00,A,0\n")
    assert file.fault == "column missing: amount; the file has id, event_time, card, label"
    assert file.rows is not None
    assert file.rows["_unreadable_values"].to_pylist() == ['{"amount": "column missing in file"}']


def test_a_missing_column_that_may_be_empty_is_empty(make_spec, small):
    small["columns"]["amount"]["nullable"] = True
    file = read_landed_file(make_spec(columns=small["columns"]), "a.csv", b"id,event_time,card,label\n1,2025-01-01 10:00:00,A,0\n")
    assert file.rows is not None
    assert file.rows["_unreadable_values"].to_pylist() == [None]


@pytest.mark.parametrize(("key", "content"), [("a.csv", CSV + b"3,too,few\n"), ("a.jsonl", b'{"id": 1}\n{"id": 2}\n[3, "too"\n')])
def test_lines_that_are_no_rows_are_kept(make_spec, key, content):
    file = read_landed_file(make_spec(), key, content)
    assert file.rows is not None
    assert file.rows.num_rows == 3
    assert "too" in file.rows["_unreadable_values"].to_pylist()[2]
    assert "1 lines are no rows" in (file.fault or "")


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("a.parquet", parquet(id=list(range(1000)))[:-20]),
        ("a.parquet", b""),
        ("a.csv", b""),
        ("a.csv", "id\n\xe9".encode("latin-1")),
        ("a.csv.gz", b"not gzip"),
        ("a.jsonl", b"\xff\xfe"),
        ("a.xlsx", b"PK"),
    ],
)
def test_a_file_that_cannot_be_read_has_no_rows_and_a_reason(make_spec, key, content):
    file = read_landed_file(make_spec(), key, content)
    assert file.rows is None
    assert "cannot be read" in (file.fault or "")
