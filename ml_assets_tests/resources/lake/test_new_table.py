"""Processes that create a table at the same time get the same table."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from ml_assets.resources.lake.errors import DamagedLog
from ml_assets.resources.lake.new_table import create_table, open_table
from ml_assets.resources.storage.open_store import open_objects

SCHEMA = pa.schema([("a", pa.int64())])
THREADS = 8


@pytest.mark.parametrize("round_", range(5))
def test_a_table_that_is_created_several_times_at_once_is_created_once(tmp_path, round_):
    uri, start = str(tmp_path / f"table-{round_}"), threading.Barrier(THREADS)

    def create(_: int) -> int:
        start.wait(60)
        return create_table(uri, SCHEMA, None, {"delta.appendOnly": "true"}).version()

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(create, range(THREADS))) == {0}
    assert [key for key in open_objects(uri, {}).keys("_delta_log/") if key.endswith(".json")] == [
        f"_delta_log/{0:020}.json"
    ]


def test_a_table_that_gets_its_first_rows_while_it_is_opened_is_not_damaged(tmp_path):
    uri = str(tmp_path / "table")

    def list_after_another_process_wrote() -> list[str]:
        create_table(uri, SCHEMA, None, {})
        return ["_delta_log/00000000000000000000.json", "day=2025-01-01/a.parquet"]

    table = open_table(uri, None, list_after_another_process_wrote)
    assert table is not None
    assert table.version() == 0


def test_rows_without_a_log_are_a_damaged_table(tmp_path):
    with pytest.raises(DamagedLog, match="_delta_log is gone"):
        open_table(str(tmp_path / "table"), None, lambda: ["day=2025-01-01/a.parquet"])
    assert open_table(str(tmp_path / "table"), None, lambda: []) is None
