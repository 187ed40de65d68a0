"""A column of another type or spelling starts a new version of its table, whose days are made again."""

from datetime import date

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from ml_assets.core.tables.fingerprint import CHANGED_SPEC, EXPIRED, fingerprint, why_changed
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.read_only_lake import ReadOnlyLake

FIRST, SECOND, THIRD = (date(2025, 1, day) for day in (1, 2, 3))
BEFORE = pa.schema([("CUSTOMER_ID", pa.int64()), ("amount", pa.string()), ("gone", pa.int64()), ("kept", pa.string())])
AFTER = pa.schema([("customer_id", pa.int64()), ("amount", pa.float64()), ("kept", pa.string()), ("new", pa.bool_())])
INPUTS = fingerprint("code", "spec", ["file"])


@pytest.fixture
def old(lake: Lake) -> Lake:
    """A lake whose table has two days, the first of which has rows in an order of its own, and an expired day."""
    table = lake.table("small", "rows", BEFORE)
    rows = pa.table({"CUSTOMER_ID": [3, 1, 2], "amount": ["a", "b", "c"], "gone": [7, 8, 9], "kept": ["z", "y", "x"]})
    table.commit({FIRST: rows.cast(BEFORE), SECOND: rows.slice(1).cast(BEFORE)}, {FIRST: INPUTS, SECOND: INPUTS})
    table.commit({THIRD: rows.cast(BEFORE)}, {THIRD: INPUTS})
    table.expire([THIRD], {})
    return Lake(uri=lake.uri, s3=lake.s3)


def row(number: int) -> pa.Table:
    return pa.table({"customer_id": [number], "amount": [0.5], "kept": ["w"], "new": [True]}).cast(AFTER)


@pytest.mark.slow_on_s3
def test_the_first_commit_replaces_the_columns_and_every_day_is_to_be_made_again(old):
    before = DeltaTable(old.location("small", "rows")[0]).version() if "://" not in old.uri else None
    table = old.table("small", "rows", AFTER)
    table.commit({SECOND: row(5)}, {SECOND: INPUTS})
    assert table.read([FIRST, SECOND]).to_pydict() == {
        "customer_id": [3, 1, 2, 5],
        "amount": [None, None, None, 0.5],
        "kept": ["z", "y", "x", "w"],
        "new": [None, None, None, True],
    }
    assert why_changed(table.input_fingerprint(FIRST), INPUTS) == (CHANGED_SPEC,)
    assert (table.fingerprint(SECOND), table.fingerprint(THIRD)) == (INPUTS, EXPIRED)
    assert not table.holds(FIRST, INPUTS)
    # The dropped column stays for the days that have it, and the values of the replaced one are in the old version.
    assert pa.schema(table.delta.schema().to_arrow()).names == ["day", *AFTER.names, "gone"]
    if before is not None:
        earlier = pa.table(DeltaTable(table.uri, version=before).to_pyarrow_table())
        assert sorted(earlier["amount"].to_pylist()) == ["a", "b", "b", "c", "c"]


@pytest.mark.slow_on_s3
def test_opening_and_reading_changes_nothing_and_values_that_are_not_there_are_refused(old):
    for lake in (old, ReadOnlyLake(uri=old.uri, s3=old.s3)):
        table = lake.table("small", "rows", AFTER)
        version = table.version()
        assert table.read([FIRST], ["kept"]).num_rows == 3
        with pytest.raises(
            LakeError, match=r"a column amount of type double, the table still has amount of type string"
        ):
            table.read([FIRST], ["amount"])
        with pytest.raises(LakeError, match=r"a column customer_id .* the table still has CUSTOMER_ID"):
            table.read([FIRST])
        assert table.version() == version
        assert table.damage(FIRST) is None


def test_another_process_with_the_old_specification_takes_no_values_silently(old):
    new = old.table("small", "rows", AFTER)
    late = Lake(uri=old.uri, s3=old.s3).table("small", "rows", BEFORE)
    new.commit({FIRST: row(1), SECOND: row(2)}, {FIRST: INPUTS + 1, SECOND: INPUTS + 1})
    late.refresh()
    old_row = pa.table({"CUSTOMER_ID": [4], "amount": ["d"], "gone": [1], "kept": ["k"]}).cast(BEFORE)
    late.commit({SECOND: old_row}, {SECOND: INPUTS})
    new.refresh()
    # The amount of the first day is null again, and its fingerprint says that it has to be made.
    assert new.input_fingerprint(FIRST) != INPUTS + 1
    new.commit({SECOND: row(2)}, {SECOND: INPUTS + 1})
    assert new.read([SECOND]).to_pydict()["amount"] == [0.5]


@pytest.mark.slow_on_s3
def test_a_column_that_returns_with_another_type_is_replaced(old):
    dropped = pa.schema([("kept", pa.string())])
    old.table("small", "rows", dropped).commit({SECOND: pa.table({"kept": ["v"]}, dropped)}, {SECOND: INPUTS})
    returned = pa.schema([("kept", pa.string()), ("Amount", pa.int64())])
    table = old.table("small", "rows", returned)
    table.commit({THIRD: pa.table({"kept": ["v"], "Amount": [1]}, returned)}, {THIRD: INPUTS})
    assert table.read([SECOND, THIRD]).to_pydict() == {"kept": ["v", "v"], "Amount": [None, 1]}


@pytest.mark.slow_on_s3
def test_a_table_without_rows_gets_the_new_columns(lake):
    lake.table("small", "rows", BEFORE)
    table = Lake(uri=lake.uri, s3=lake.s3).table("small", "rows", AFTER)
    table.commit({FIRST: row(1)}, {FIRST: INPUTS})
    assert table.read([FIRST]).to_pydict()["amount"] == [0.5]


@pytest.mark.slow_on_s3
def test_a_damaged_day_is_not_in_the_new_version(old):
    path = next(key for key in old.files.keys("small/rows/day=2025-01-01/"))
    old.files.write(path, b"no parquet")
    table = old.table("small", "rows", AFTER)
    table.commit({SECOND: row(5)}, {SECOND: INPUTS})
    assert table.read([FIRST, SECOND]).num_rows == 1
    assert table.input_fingerprint(FIRST) != INPUTS
