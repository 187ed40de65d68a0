"""Processes that create a table at the same time get the same table."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from ml_assets.resources.lake.new_table import create_table
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
