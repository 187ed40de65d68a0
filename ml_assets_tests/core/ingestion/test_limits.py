"""A file beyond a limit of its source has a fault that names the limit and the measured value, and is not read on."""

import gzip

import pyarrow as pa
import pytest

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.ingestion.limits import LimitExceeded, unpack_gzip
from ml_assets.core.model_spec.types.file_limits import FileLimits
from ml_assets_tests.core.ingestion.test_parquet_columns import parquet

HEADER = b"id,event_time,card,amount,label\n"
ROW = b"1,2025-01-01T10:00:00,A,1.5,0\n"
OBJECT = b'{"id": 1, "event_time": "2025-01-01T10:00:00", "card": "A", "amount": 1.5, "label": 0}\n'


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
