"""Errors name damaged files of a table and say what to do; transient errors are left to the retry."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake.exceptions import DeltaError

from ml_assets.resources.lake.errors import DamagedDay, LakeError, readable_log
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table

SCHEMA = pa.schema([("n", pa.int64())])
FIRST, SECOND = date(2025, 1, 1), date(2025, 1, 2)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    table = Lake(uri=str(tmp_path)).table("m", "numbers", SCHEMA)
    for day in (FIRST, SECOND):
        table.commit({day: pa.table({"n": [1, 2]}, SCHEMA)}, {day: 7})
    return table


def file_of(tmp_path: Path, pattern: str) -> Path:
    return sorted((tmp_path / "m" / "numbers").glob(pattern))[-1]


def test_a_day_with_a_damaged_file_is_named_and_others_can_be_read(table, tmp_path):
    file_of(tmp_path, f"day={FIRST}/*").write_bytes(b"PAR1 and then nothing of it")
    assert table.damage(FIRST) is not None
    assert table.damage(SECOND) is None
    with pytest.raises(
        DamagedDay,
        match=rf"/m/numbers/day={FIRST}/part-\S+, with rows of {FIRST}, is damaged \(.*Materialize numbers of {FIRST}",
    ):
        table.read([SECOND, FIRST])
    assert table.read([SECOND])["n"].to_pylist() == [1, 2]
    assert not table.has_rows(FIRST, pa.table({"n": [1, 2]}, SCHEMA))
    table.commit({FIRST: pa.table({"n": [1, 2]}, SCHEMA)}, {FIRST: 7})
    assert table.has_rows(FIRST, pa.table({"n": [1, 2]}, SCHEMA))


def test_a_day_whose_file_is_gone_is_named(table, tmp_path):
    file_of(tmp_path, f"day={FIRST}/*").unlink()
    with pytest.raises(DamagedDay, match=f"with rows of {FIRST}, is gone.*Materialize"):
        table.read([FIRST])


@pytest.mark.parametrize("content", [b'{"commitInfo": {"timest', bytes(range(256))], ids=["truncated", "garbage"])
def test_a_damaged_log_is_named_when_it_is_opened_and_when_it_is_refreshed(table, tmp_path, content):
    log = file_of(tmp_path, "_delta_log/*.json")
    log.with_name(f"{int(log.stem) + 1:020}.json").write_bytes(content)
    message = r"numbers/_delta_log is damaged \([^\n]{10,220}\): the days of the table cannot be read. Restore it"
    with pytest.raises(LakeError, match=message):
        table.refresh()
    with pytest.raises(LakeError, match=message):
        Lake(uri=str(tmp_path)).table("m", "numbers", SCHEMA)


def test_a_transient_error_is_not_translated():
    with pytest.raises(DeltaError, match="timed out"), readable_log("lake/m/numbers"):
        raise DeltaError("error performing GET http://s3/m/numbers/_delta_log/00000000000000000000.json: timed out")


@pytest.mark.parametrize("kind", [OSError, DeltaError])
@pytest.mark.parametrize(
    "message",
    [
        "Kernel error -> Generic S3 error ↳ Error performing GET http://s3/_last_checkpoint in 17 ms - HTTP error",
        "Kernel error: Generic S3 error: HTTP error: request or response body error",
        "Kernel error: error decoding response body",
    ],
)
def test_a_store_that_does_not_answer_is_no_damage(kind, message):
    with pytest.raises(kind) as raised, readable_log("lake/m/numbers"):
        raise kind(message)
    assert not isinstance(raised.value, LakeError)
