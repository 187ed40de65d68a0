"""Days of Delta tables are replaced completely, together with their fingerprints, in a directory and on S3."""

import os
from datetime import date

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.resources.lake.lake import Lake, check_lake_path

SCHEMA = pa.schema([("a", pa.int64()), ("t", pa.timestamp("us", "UTC")), ("l", pa.list_(pa.string()))])
FIRST, SECOND, THIRD = date(2025, 1, 1), date(2025, 1, 2), date(2025, 1, 3)


def rows(*values: int) -> pa.Table:
    return pa.table({"a": list(values), "t": [None] * len(values), "l": [["x"]] * len(values)}, SCHEMA)


def test_a_day_is_replaced_completely_with_its_fingerprint(lake):
    table = lake.table("m", "x", SCHEMA)
    table.commit({FIRST: rows(1, 2)}, {FIRST: 5})
    table.commit({SECOND: rows(3)}, {SECOND: 6})
    table.commit({FIRST: rows(9)}, {FIRST: 2**63 - 1})
    reopened = Lake(uri=lake.uri, s3=lake.s3).table("m", "x", SCHEMA)
    assert reopened.fingerprint(FIRST) == 2**63 - 1
    assert reopened.fingerprint(SECOND) == 6
    assert reopened.fingerprint(THIRD) is None
    assert reopened.read([SECOND, FIRST])["a"].to_pylist() == [3, 9]
    assert reopened.read([FIRST], ["day", "a"]).to_pylist() == [{"day": FIRST, "a": 9}]
    assert reopened.row_counts() == {FIRST: 1, SECOND: 1}


@pytest.mark.slow_on_s3
def test_a_day_without_rows_is_committed_too(lake):
    table = lake.table("m", "x", SCHEMA)
    table.commit({FIRST: rows(1)}, {FIRST: 5})
    table.commit({FIRST: rows()}, {FIRST: 6})
    assert table.fingerprint(FIRST) == 6
    assert table.read([FIRST]).num_rows == 0
    assert table.read([FIRST]).schema == SCHEMA


@pytest.mark.slow_on_s3
def test_removed_rows_leave_a_mark_that_is_no_fingerprint(lake):
    table = lake.table("m", "x", SCHEMA)
    table.commit({FIRST: rows(1, 2), SECOND: rows(3), THIRD: rows(4)}, {FIRST: 5, SECOND: 6, THIRD: 7})
    table.expire([FIRST, SECOND], {"dagster_run_id": "r"})
    reopened = Lake(uri=lake.uri, s3=lake.s3).table("m", "x", SCHEMA)
    assert [reopened.fingerprint(day) for day in (FIRST, SECOND, THIRD)] == [EXPIRED, EXPIRED, 7]
    assert reopened.row_counts() == {THIRD: 1}
    reopened.commit({FIRST: rows(1, 2)}, {FIRST: 5})
    assert (reopened.fingerprint(FIRST), reopened.read([FIRST])["a"].to_pylist()) == (5, [1, 2])


def test_the_log_of_old_commits_stays(tmp_path):
    table = Lake(uri=str(tmp_path)).table("m", "x", SCHEMA)
    table.commit({FIRST: rows(1)}, {FIRST: 5})
    table.commit({FIRST: rows(2)}, {FIRST: 6})
    log = tmp_path / "m" / "x" / "_delta_log"
    for path in log.iterdir():
        os.utime(path, (0, 0))
    delta = DeltaTable(str(tmp_path / "m" / "x"))
    delta.create_checkpoint()
    assert DeltaTable(str(tmp_path / "m" / "x"), version=1).to_pandas()["a"].tolist() == [1]
    assert len(delta.history()) == 3


def test_of_two_writers_of_one_day_the_second_fails_and_changes_nothing(lake):
    first_table, second_table = (Lake(uri=lake.uri, s3=lake.s3).table("m", "x", SCHEMA) for _ in range(2))
    first_table.commit({FIRST: rows(1)}, {FIRST: 5})
    with pytest.raises(CommitFailedError):
        second_table.commit({FIRST: rows(2)}, {FIRST: 6})
    second_table.refresh()
    assert (second_table.fingerprint(FIRST), second_table.read([FIRST])["a"].to_pylist()) == (5, [1])


def test_writers_of_different_days_do_not_disturb_each_other(lake):
    first_table, second_table = (Lake(uri=lake.uri, s3=lake.s3).table("m", "x", SCHEMA) for _ in range(2))
    first_table.commit({FIRST: rows(1)}, {FIRST: 5})
    second_table.commit({SECOND: rows(2)}, {SECOND: 6})
    assert lake.table("m", "x", SCHEMA).row_counts() == {FIRST: 1, SECOND: 1}


def test_several_days_are_committed_at_once_or_not_at_all(lake):
    first_table, second_table = lake.table("m", "x", SCHEMA), Lake(uri=lake.uri, s3=lake.s3).table("m", "x", SCHEMA)
    first_table.commit({FIRST: rows(1), SECOND: rows(2, 3)}, {FIRST: 5, SECOND: 6})
    assert (first_table.row_counts(), first_table.fingerprint(SECOND)) == ({FIRST: 1, SECOND: 2}, 6)
    with pytest.raises(CommitFailedError):
        second_table.commit({SECOND: rows(9), THIRD: rows(9)}, {SECOND: 8, THIRD: 8})
    second_table.refresh()
    assert (second_table.row_counts(), second_table.fingerprint(THIRD)) == ({FIRST: 1, SECOND: 2}, None)


@pytest.mark.slow_on_s3
def test_a_new_column_is_added_and_older_days_lack_it(lake):
    lake.table("m", "x", SCHEMA).commit({FIRST: rows(1)}, {FIRST: 5})
    wider = lake.table("m", "x", pa.schema([*SCHEMA, ("n", pa.float64())]))
    assert wider.read([FIRST], ["a", "n"]).to_pylist() == [{"a": 1, "n": None}]


@pytest.mark.slow_on_s3
def test_a_column_that_the_schema_no_longer_has_is_empty_from_then_on(lake):
    lake.table("m", "x", SCHEMA).commit({FIRST: rows(1)}, {FIRST: 5})
    narrower = lake.table("m", "x", pa.schema([("a", pa.int64())]))
    narrower.commit({SECOND: pa.table({"a": [2]})}, {SECOND: 6})
    assert narrower.read([FIRST, SECOND]).to_pylist() == [{"a": 1}, {"a": 2}]
    assert Lake(uri=lake.uri, s3=lake.s3).table("m", "x", SCHEMA).read([FIRST, SECOND], ["l"]).to_pylist() == [
        {"l": ["x"]},
        {"l": None},
    ]


@pytest.mark.slow_on_s3
def test_fingerprints_that_others_committed_meanwhile_are_loaded_by_a_commit(lake):
    first_table, second_table = (Lake(uri=lake.uri, s3=lake.s3).table("m", "x", SCHEMA) for _ in range(2))
    first_table.commit({FIRST: rows(1)}, {FIRST: 11})
    second_table.refresh()
    assert second_table.fingerprint(FIRST) == 11
    first_table.commit({FIRST: rows(2)}, {FIRST: 22})
    second_table.commit({SECOND: rows(3)}, {SECOND: 33})
    assert (second_table.fingerprint(FIRST), second_table.read([FIRST])["a"].to_pylist()) == (22, [2])


def test_rows_of_a_day_keep_their_order_however_they_are_chunked(tmp_path):
    table = Lake(uri=str(tmp_path)).table("m", "x", SCHEMA)
    pieces = pa.concat_tables([rows(*range(first, first + 500)) for first in range(0, 3000, 500)])
    days = [date(2025, 1, 1 + number) for number in range(5)]
    table.commit(dict.fromkeys(days, pieces), dict.fromkeys(days, 5))
    assert all(table.read([day])["a"].to_pylist() == list(range(3000)) for day in days)


def test_any_delta_reader_can_read_a_table_and_its_fingerprints(tmp_path):
    table = Lake(uri=str(tmp_path)).table("m", "x", SCHEMA)
    table.commit({FIRST: rows(1, 2)}, {FIRST: 255}, {"dagster_run_id": "r"})
    delta = DeltaTable(str(tmp_path / "m" / "x"))
    assert delta.to_pandas()["day"].tolist() == [FIRST, FIRST]
    last = delta.history(1)[0]
    assert (last["fingerprints"], last["dagster_run_id"]) == ('{"2025-01-01": "00000000000000ff"}', "r")


@pytest.mark.slow_on_s3
def test_bytes_by_day_are_those_of_the_current_files_of_each_day(lake):
    assert lake.bytes_by_day("m", "x") == {}
    table = lake.table("m", "x", SCHEMA)
    table.commit({FIRST: rows(*range(10_000))}, {FIRST: 1})
    table.commit({FIRST: rows(1), SECOND: rows(*range(10_000))}, {FIRST: 2, SECOND: 3})
    sizes = lake.bytes_by_day("m", "x")
    assert set(sizes) == {FIRST, SECOND}
    assert 0 < sizes[FIRST] < sizes[SECOND] / 5


@pytest.mark.parametrize("part", ["a%20b", "a\nb"])
def test_a_path_that_delta_tables_cannot_have_is_refused_before_one_is_made(part):
    with pytest.raises(ValueError, match="Delta tables cannot be under a path"):
        check_lake_path(f"/data/{part}/lake", "ML_ASSETS_LAKE")


@pytest.mark.parametrize("part", ["a b", "100%", "ü", "#1?", "[a]", "$HOME"])
def test_a_table_in_a_folder_with_unusual_characters_is_read_back(tmp_path, part):
    uri = str(tmp_path / part)
    check_lake_path(uri, "ML_ASSETS_LAKE")
    Lake(uri=uri).table("m", "x", SCHEMA).commit({FIRST: rows(1, 2)}, {FIRST: 5})
    assert Lake(uri=uri).table("m", "x", SCHEMA).read([FIRST])["a"].to_pylist() == [1, 2]
