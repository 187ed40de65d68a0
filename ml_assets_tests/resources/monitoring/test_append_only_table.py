"""Rows are appended by any number of processes at the same time, and none is lost."""

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.monitoring.append_only_table import AppendOnlyTable

SCHEMA = pa.schema([("stage", pa.string()), ("seconds", pa.float64())])


def rows(*seconds: float) -> pa.Table:
    return pa.table({"stage": ["features"] * len(seconds), "seconds": list(seconds)})


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(uri=str(tmp_path / "lake"))


def opened(lake: Lake) -> AppendOnlyTable:
    return AppendOnlyTable(Lake(uri=lake.uri), "small", "stage_costs", SCHEMA)


def test_a_table_without_rows_is_not_created_by_reading(lake, tmp_path):
    assert opened(lake).newest(10).num_rows == 0
    assert not (tmp_path / "lake" / "small").exists()


def test_the_newest_rows_come_first(lake):
    for number in range(4):
        opened(lake).append(rows(number, number))
    assert opened(lake).newest(2)["seconds"].to_pylist() == [3, 3, 2, 2]


def test_processes_that_append_at_once_lose_nothing(lake):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: opened(lake).append(rows(number)), range(12)))
    assert sorted(opened(lake).newest(100)["seconds"].to_pylist()) == list(range(12))


def test_any_reader_of_delta_lake_reads_the_table(lake):
    from deltalake import DeltaTable

    opened(lake).append(rows(1.5))
    table = DeltaTable(f"{lake.uri}/small/stage_costs")
    assert pa.table(table.to_pyarrow_table())["seconds"].to_pylist() == [1.5]


def test_a_file_that_is_damaged_or_gone_is_left_out(lake, tmp_path):
    for number in range(3):
        opened(lake).append(rows(number))
    damaged, gone, _ = (tmp_path / "lake" / "small" / "stage_costs").glob("*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    gone.unlink()
    assert opened(lake).newest(10).num_rows == 1
