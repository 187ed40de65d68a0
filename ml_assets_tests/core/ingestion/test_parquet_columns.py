"""A Parquet file is read as one reading gives it, and refused as soon as its values exceed the limit."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets.core.ingestion.limits import LimitExceeded
from ml_assets.core.ingestion.parquet_columns import open_parquet, read_columns
from ml_assets.core.ingestion.parquet_reader import parse_parquet
from ml_assets.core.model_spec.types.file_limits import FileLimits


def parquet(table, **options):
    """A table as the bytes of a Parquet file."""
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def long_values(rows, length=1_000_000):
    """One long value in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["a" * length]))


ENCODINGS = {
    "dictionary": (pa.table({"card": long_values(1500)}), {"store_schema": False}),
    "stored dictionary": (pa.table({"card": long_values(1500)}), {}),
    "prefixes": (
        pa.table({"card": ["a" * 100_000] * 300}),
        {"use_dictionary": False, "column_encoding": {"card": "DELTA_BYTE_ARRAY"}},
    ),
    "long prefixes": (
        pa.table({"card": ["a" * 1_000_000] * 100}),
        {"use_dictionary": False, "column_encoding": {"card": "DELTA_BYTE_ARRAY"}},
    ),
    "compression": (pa.table({"card": ["a" * 100_000] * 300}), {"use_dictionary": False, "compression": "zstd"}),
    "runs": (pa.table({"id": np.zeros(5_000_000, np.int64)}), {}),
    "row groups": (pa.table({"card": long_values(300, 100_000)}), {"row_group_size": 20, "store_schema": False}),
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
            "pair": [{"x": number, "y": "b"} for number in range(3000)],
        }
    )
    for options in ({}, {"row_group_size": 700}, {"store_schema": False}, {"use_dictionary": False}):
        content = pa.py_buffer(parquet(table, **options))
        names = ["pair", "card", "text"]
        expected = pq.ParquetFile(pa.BufferReader(content)).read(columns=names)
        result = read_columns(open_parquet(content, FileLimits()), content, names, FileLimits())
        assert result.schema == expected.schema
        assert result.to_pylist() == expected.to_pylist()


def test_lists_are_not_read_and_their_values_are_unreadable():
    numbers = pa.ListArray.from_arrays([0, 20_000_000, 20_000_000], np.zeros(20_000_000))
    content = parquet(pa.table({"id": numbers, "card": ["A", "B"]}))
    before = pa.total_allocated_bytes()
    file = parse_parquet(content, {"id", "card"})
    assert pa.total_allocated_bytes() - before < 1_000_000
    assert file.table.to_pylist() == [{"card": "A", "id": None}, {"card": "B", "id": None}]
    assert file.unreadable["id"].to_pylist() == ["a value of the type list<element: double>"] * 2


def test_damaged_metadata_is_an_error_and_does_not_end_the_process(monkeypatch):
    content = parquet(pa.table({"card": [f"c{number}" for number in range(50)]}), store_schema=False)
    monkeypatch.setattr("ml_assets.core.ingestion.parquet_columns._BATCH_BYTES", 1)
    position = content.index(b"c9\x18\x02c9") if b"c9\x18\x02c9" in content else len(content) - 60
    refused = 0
    for offset in range(position, len(content) - 8):
        for value in (0, 255):
            damaged = content[:offset] + bytes([value]) + content[offset + 1 :]
            try:
                parse_parquet(damaged, {"card"})
            except (OSError, ValueError, pa.ArrowException):
                refused += 1
    assert refused
