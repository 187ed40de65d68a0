"""Rows are appended by any number of processes at the same time, and none is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.monitoring.measurement_table import MeasurementTable

SCHEMA = pa.schema([("stage", pa.string()), ("seconds", pa.float64()), ("at", pa.timestamp("us", "UTC"))])
NOW = datetime(2025, 3, 1, tzinfo=UTC)


def rows(*seconds: float) -> pa.Table:
    """Measurements of as many seconds, which were made as many seconds later."""
    times = [NOW + timedelta(seconds=number) for number in seconds]
    return pa.table({"stage": ["features"] * len(seconds), "seconds": [*map(float, seconds)], "at": times}, SCHEMA)


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(uri=str(tmp_path / "lake"))


def opened(lake: Lake) -> MeasurementTable:
    return MeasurementTable(Lake(uri=lake.uri), "small", "stage_costs", SCHEMA, "at")


def test_a_table_without_rows_is_not_created_by_reading(lake, tmp_path):
    assert opened(lake).newest(10).num_rows == 0
    assert not (tmp_path / "lake" / "small").exists()


def test_the_newest_rows_come_first(lake):
    for number in range(4):
        opened(lake).append(rows(number, number))
    assert opened(lake).newest(4)["seconds"].to_pylist() == [3, 3, 2, 2]


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
    opened(lake).compact(NOW)
    assert opened(lake).newest(10).num_rows == 1


def test_files_are_merged_without_old_rows_and_the_rest_stays(lake, tmp_path):
    numbers = [opened(lake).append(rows(number)) for number in (3, 1, 2, 0)]
    assert numbers == [1, 2, 3, 4]
    opened(lake).compact(NOW + timedelta(seconds=1))
    assert opened(lake).append(rows(4)) == 2
    assert opened(lake).newest(100)["seconds"].to_pylist() == [4, 1, 2, 3]
    assert opened(lake).newest(1)["seconds"].to_pylist() == [4]
    assert len(list((tmp_path / "lake" / "small" / "stage_costs").glob("*.parquet"))) == 6, "readers have a day"


def test_merged_files_are_deleted_later(lake, tmp_path, monkeypatch):
    monkeypatch.setattr("ml_assets.resources.monitoring.measurement_table.HOURS_UNTIL_DELETED", 0)
    for number in range(3):
        opened(lake).append(rows(number))
    opened(lake).compact(NOW)
    assert len(list((tmp_path / "lake" / "small" / "stage_costs").glob("*.parquet"))) == 1
    assert opened(lake).newest(100)["seconds"].to_pylist() == [0, 1, 2]


def test_a_table_whose_rows_are_all_old_is_empty(lake):
    opened(lake).append(rows(1))
    opened(lake).compact(NOW + timedelta(days=1))
    assert opened(lake).newest(100).num_rows == 0
    assert opened(lake).append(rows(2)) == 1


def test_processes_that_merge_and_append_at_once_lose_and_repeat_nothing(lake):
    def write(number: int) -> None:
        opened(lake).append(rows(number))
        opened(lake).compact(NOW)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(12)))
    assert sorted(opened(lake).newest(100)["seconds"].to_pylist()) == list(range(12))


def test_a_table_of_an_earlier_version_gets_new_columns(lake):
    earlier = MeasurementTable(lake, "small", "stage_costs", SCHEMA.remove(0), "at")
    earlier.append(rows(1).drop(["stage"]))
    opened(lake).append(rows(2))
    assert opened(lake).newest(2)["stage"].to_pylist() == ["features", None]
