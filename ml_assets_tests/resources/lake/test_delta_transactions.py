"""The transactions of a table equal those that delta-rs returns one by one, whichever process commits and however long
the log is.
"""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.resources.lake.lake import Lake

SCHEMA = pa.schema([("n", pa.int64())])
ROWS = pa.table({"n": [1]}, SCHEMA)


def day(number: int) -> date:
    return date(2025, 1, 1) + timedelta(days=number)


def commit(lake: Lake, numbers: list[int], fingerprint: int) -> None:
    lake.table("m", "a", SCHEMA).commit(
        {day(number): ROWS for number in numbers}, {day(number): fingerprint for number in numbers}
    )


def assert_known(lake: Lake, numbers: range) -> None:
    table = lake.table("m", "a", SCHEMA)
    table.refresh()
    assert [table.fingerprint(day(number)) for number in numbers] == [
        table.delta.transaction_version(day(number).isoformat()) for number in numbers
    ]


# The log has a checkpoint after every ten commits.
@pytest.mark.parametrize("commits", [1, 9, 10, 11, 25])
def test_before_and_after_checkpoints(tmp_path, commits):
    writer = Lake(uri=str(tmp_path))
    for number in range(commits):
        commit(writer, [number, number + 1], number + 7)
    assert_known(Lake(uri=str(tmp_path)), range(commits + 2))
    assert_known(writer, range(commits + 2))


@given(
    st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 6), min_size=1, max_size=3), st.booleans()), max_size=30)
)
def test_processes_that_commit_and_read_in_any_order_read_the_same_transactions(tmp_path_factory, steps):
    uri = str(tmp_path_factory.mktemp("lake"))
    lakes = {who: Lake(uri=uri) for who in (True, False)}
    for number, (who, days, looks) in enumerate(steps):
        lakes[who].table("m", "a", SCHEMA).refresh()
        commit(lakes[who], sorted(days), number + 1)
        if looks:
            assert_known(lakes[not who], range(7))
    for lake in lakes.values():
        assert_known(lake, range(7))


def test_a_reader_that_was_not_refreshed_reads_the_same_as_before(tmp_path):
    writer, reader = Lake(uri=str(tmp_path)), Lake(uri=str(tmp_path))
    commit(writer, [1], 7)
    table = reader.table("m", "a", SCHEMA)
    for number in range(12):
        commit(writer, [1], 8 + number)
    assert table.fingerprint(day(1)) == 7
    table.refresh()
    assert table.fingerprint(day(1)) == 19


@pytest.mark.slow
def test_on_s3(bucket):
    uri, s3 = bucket
    writer = Lake(uri=f"{uri}/lake", s3=s3)
    for number in range(12):
        commit(writer, [number], number + 7)
    assert_known(Lake(uri=f"{uri}/lake", s3=s3), range(13))
