"""A file beyond a limit of its source has a fault that names the limit and the measured value, and is not read on."""

import gzip
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.ingestion.json_lines import parse_json_lines
from ml_assets.core.ingestion.limits import LimitExceeded, unpack_gzip
from ml_assets.core.ingestion.parquet_columns import open_parquet, read_columns
from ml_assets.core.ingestion.parquet_reader import parse_parquet
from ml_assets.core.model_spec.types.file_limits import FileLimits

HEADER = b"id,event_time,card,amount,label\n"
ROW = b"1,2025-01-01T10:00:00,A,1.5,0\n"
OBJECT = b'{"id": 1, "event_time": "2025-01-01T10:00:00", "card": "A", "amount": 1.5, "label": 0}\n'


def parquet(table, **options):
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def long_values(rows, length=1_000_000):
    """One long value in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["a" * length]))


DEEP = b'{"id": ' + b"[" * 200 + b"]" * 200 + b"}"
BEYOND = {
    "bytes.csv": (HEADER + ROW * 9, "unpacked_bytes", "it unpacks to at least 302 bytes"),
    "packed.csv.gz": (gzip.compress(HEADER + ROW * 9), "unpacked_bytes", "it unpacks to at least 302 bytes"),
    "members.csv.gz": (gzip.compress(HEADER) + gzip.compress(ROW) * 9, "unpacked_bytes", "at least "),
    "packed.jsonl.gz": (gzip.compress(OBJECT * 9), "unpacked_bytes", "it unpacks to at least 783 bytes"),
    "rows.csv": (HEADER + ROW * 3, "rows", "it has at least 3 rows"),
    "broken.csv": (HEADER + b"x\n" * 3, "rows", "it has at least 3 rows"),
    "quoted.csv": (HEADER + ROW + b'1,2,"a\nb"c,1,1\n', "rows", "it has at least 3 rows"),
    "rows.jsonl": (OBJECT * 3, "rows", "it has at least 3 rows"),
    "broken.jsonl": (b"x\n" * 3, "rows", "it has at least 3 rows"),
    "array.jsonl": (b"[1, 2, 3]", "rows", "it has at least 3 rows"),
    "rows.parquet": (parquet(pa.table({"id": [1, 2, 3]})), "rows", "it has 3 rows"),
    "columns.csv": (b"id,a,b\n1,2,3\n", "columns", "it has 3 columns"),
    "columns.jsonl": (b'{"id": 1, "a": 2}\n{"b": 3}', "columns", "it has at least 3 columns"),
    "columns.parquet": (parquet(pa.table({"id": [1], "a": [1], "b": [1]})), "columns", "it has 3 columns"),
    "header.csv": (HEADER, "line_bytes", "the header has at least 23 bytes"),
    "line.csv": (b"id\n1\n" + b"1" * 31 + b"\n1\n", "line_bytes", "line 3 has at least 23 bytes"),
    "field.csv": (b"id\n1\n" + b'"1\n2 3 4 5 6 7 8 9 0"\n', "line_bytes", "line 3 has at least 21 bytes"),
    "broken_line.csv": (b"id\n1\n" + b"1," * 16, "line_bytes", "line 3 has at least 23 bytes"),
    "line.jsonl": (b'{"id": 1}\n' + b" " * 31 + b"\n", "line_bytes", "line 2 has 31 bytes"),
    "letters.jsonl": (b'{"id": 1}\n"' + "ü".encode() * 10 + b'"', "line_bytes", "line 2 has 22 bytes"),
    "deep.jsonl": (DEEP, "depth", "lists and objects are nested 201 deep"),
    "cut.jsonl": (b"[" * 200_000, "depth", "lists and objects are nested 200,000 deep"),
    "values.parquet": (parquet(pa.table({"card": ["a" * 300]})), "unpacked_bytes", "at least "),
}
LIMITS = {"unpacked_bytes": 250, "rows": 2, "columns": 2, "line_bytes": 20, "depth": 100}


def limited(spec, **limits):
    return spec.model_copy(update={"source": spec.source.model_copy(update={"limits": FileLimits(**limits)})})


@pytest.mark.parametrize("key", BEYOND)
def test_a_file_beyond_a_limit_has_a_fault_with_the_measured_value(make_spec, key):
    content, name, measured = BEYOND[key]
    spec = make_spec()
    file = read_landed_file(limited(spec, **{name: LIMITS[name]}), key, content)
    assert file.rows is None
    assert file.fault is not None
    assert f"cannot be read ({len(content):,} bytes): " in file.fault
    assert measured in file.fault
    assert f", and source.limits.{name} is {LIMITS[name]:,}; split the file, or raise the limit" in file.fault


@pytest.mark.parametrize("key", [key for key in BEYOND if key not in ("deep.jsonl", "cut.jsonl")])
def test_the_same_file_is_not_refused_by_the_default_limits(make_spec, key):
    assert "source.limits" not in (read_landed_file(make_spec(), key, BEYOND[key][0]).fault or "")


@pytest.mark.parametrize("key", ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_a_file_at_its_limits_is_read(make_spec, key):
    spec = make_spec()
    text = OBJECT * 2 if "jsonl" in key else HEADER + ROW * 2
    table = pa.table({name: [1, 2] for name in ("id", "event_time", "card", "amount", "label")})
    content = parquet(table) if key.endswith("parquet") else gzip.compress(text) if key.endswith("gz") else text
    size = len(content) if key.endswith("parquet") else len(text)
    limits = {"unpacked_bytes": size, "rows": 2, "columns": 5, "line_bytes": len(OBJECT), "depth": 1}
    file = read_landed_file(limited(spec, **limits), key, content)
    assert file.rows is not None
    assert (file.rows.num_rows, file.fault) == (2, None)


def test_unpacking_stops_at_the_limit():
    bomb = gzip.compress(gzip.compress(b"")) + gzip.compress(bytes(20 << 20)) * 5
    with pytest.raises(
        LimitExceeded, match=r"at least 3,145,\d+ bytes, and source\.limits\.unpacked_bytes is 3,000,000"
    ):
        unpack_gzip(bomb, FileLimits(unpacked_bytes=3_000_000))


ENCODINGS = {
    "dictionary": (pa.table({"card": long_values(1500)}), {"store_schema": False}),
    "stored dictionary": (pa.table({"card": long_values(1500)}), {}),
    "prefixes": (
        pa.table({"card": ["a" * 100_000] * 300}),
        {"use_dictionary": False, "column_encoding": {"card": "DELTA_BYTE_ARRAY"}},
    ),
    "compression": (pa.table({"card": ["a" * 100_000] * 300}), {"use_dictionary": False, "compression": "zstd"}),
    "runs": (pa.table({"id": np.zeros(5_000_000, np.int64)}), {}),
    "row groups": (pa.table({"card": long_values(300, 100_000)}), {"row_group_size": 20, "store_schema": False}),
    "list of numbers": (pa.table({"id": pa.ListArray.from_arrays([0, 5_000_000], np.zeros(5_000_000))}), {}),
    "list of text": (pa.table({"id": pa.ListArray.from_arrays([0, 1500], long_values(1500))}), {"store_schema": False}),
    "fixed length": (pa.table({"id": pa.array([b"a" * 100_000] * 300, pa.binary(100_000))}), {}),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_small_parquet_file_with_large_values_is_refused(encoding):
    table, options = ENCODINGS[encoding]
    content = parquet(table, **options)
    assert len(content) < 400_000
    pa_before = pa.total_allocated_bytes()
    with pytest.raises(LimitExceeded, match=r"source\.limits\.unpacked_bytes is 20,000,000"):
        parse_parquet(content, table.column_names, FileLimits(unpacked_bytes=20_000_000))
    assert pa.total_allocated_bytes() - pa_before < 10_000_000


def test_long_values_of_the_dictionary_are_read_in_small_batches():
    content = pa.py_buffer(parquet(pa.table({"card": long_values(150)}), store_schema=False))
    file = open_parquet(content, FileLimits())
    assert max(batch.num_rows for batch in file.iter_batches(1 << 16)) == 150
    table = read_columns(file, content, ["card"], FileLimits())
    assert table.equals(pq.read_table(pa.BufferReader(content)))
    assert [len(chunk) for chunk in table["card"].chunks] == [67, 67, 16]


def test_columns_of_a_parquet_file_are_read_as_one_reading_gives_them():
    rng = np.random.default_rng(5)
    table = pa.table(
        {
            "id": np.arange(3000),
            "card": pa.array([f"card {number}" for number in rng.integers(0, 90, 3000)]).dictionary_encode(),
            "text": [None if number % 7 == 0 else "x" * (number % 50) for number in range(3000)],
            "list": [["a"] * (number % 3) for number in range(3000)],
            "pair": [{"x": number, "y": "b"} for number in range(3000)],
        }
    )
    for options in ({}, {"row_group_size": 700}, {"store_schema": False}, {"use_dictionary": False}):
        content = pa.py_buffer(parquet(table, **options))
        names = ["pair", "card", "text", "list"]
        expected = pq.ParquetFile(pa.BufferReader(content)).read(columns=names)
        result = read_columns(open_parquet(content, FileLimits()), content, names, FileLimits())
        assert result.schema == expected.schema
        assert result.to_pylist() == expected.to_pylist()


def test_only_the_needed_columns_of_json_are_kept():
    lines = b"\n".join(
        b'{"id": %d, ' % row + b", ".join(b'"k%d_%d": 1' % (row, key) for key in range(2000)) + b', "id": 9}'
        for row in range(4)
    )
    file = parse_json_lines(lines, {"id"})
    assert file.table.column_names == ["id"]
    assert file.unreadable["id"].to_pylist() == ["0 and 9", "1 and 9", "2 and 9", "3 and 9"]
    assert len(file.columns) == 8001


def test_blocks_of_lines_give_the_same_columns(monkeypatch):
    text = b'\xef\xbb\xbf{"a": 1}\n\n{"b": 1.0E7, "a": Infinity}\r\n{"c": {"d": [1]}}\nx\n{"a": "\xff"}'
    whole = parse_json_lines(text)
    for size in range(1, 40):
        monkeypatch.setattr("ml_assets.core.ingestion.json_lines._BLOCK", size)
        file = parse_json_lines(text)
        assert file.table.to_pylist() == whole.table.to_pylist()
        assert (file.columns, file.broken, file.unreadable, file.integers) == (*whole[1:4], whole.integers)
