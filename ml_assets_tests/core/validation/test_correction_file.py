"""A correction file is accepted only when all of its rows are right; problems name row, column and rule."""

import io
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.model_spec.file_feed import Feed, rows_feed
from ml_assets.core.validation.correction_file import (
    RepairRefused,
    by_day,
    check_day,
    correctable_reasons,
    read_repair_file,
)
from ml_assets.core.validation.corrections import correction_file
from ml_assets.core.validation.validate_day import REPEATED, THE_DAY_IS_REJECTED

DAY = date(2025, 1, 1)
LANDED = (
    "id,event_time,card,amount,label\n1,2025-01-01 01:00,007,1.5,0\n2,2025-01-01 02:00,b,-1,0\n"
    "3,2025-01-01 03:00,c,many,1\n"
)
OBJECTS = pa.table({"key": ["a.csv"], "rows": [3], "fault": pa.array([None], pa.string())})
GOOD = {
    "_day": "2025-01-01",
    "_source_file": "a.csv",
    "_source_row": 1,
    "id": 2,
    "event_time": "2025-01-01 02:00",
    "card": "b",
    "amount": 1,
    "label": 0,
}


@pytest.fixture
def feed(make_spec) -> Feed:
    return rows_feed(make_spec(quality={"max_bad_share": 1}))


def content(*rows: dict, name: str = "fixed.csv") -> bytes:
    frame = pd.DataFrame(rows)
    if name.endswith(".jsonl"):
        return frame.to_json(orient="records", lines=True).encode()
    buffer = io.BytesIO()
    if name.endswith(".parquet"):
        frame.assign(_day=pd.to_datetime(frame["_day"]).dt.date).to_parquet(buffer)
    else:
        frame.to_csv(buffer, index=False)
    return buffer.getvalue()


def check(feed: Feed, *rows: dict, files: dict[str, bytes] | None = None):
    raw = read_landed_file(feed, "a.csv", LANDED.encode()).rows
    assert raw is not None
    days, faults = by_day(read_repair_file(feed, "fixed.csv", content(*rows)))
    assert not faults
    return check_day(feed, DAY, raw, OBJECTS, files or {}, days[DAY])


@pytest.mark.parametrize("name", ["fixed.csv", "fixed.jsonl", "fixed.parquet"])
def test_formats_say_the_same(feed, name):
    (row,) = read_repair_file(feed, name, content(GOOD, name=name))
    assert (row.number, row.day, row.landed) == (1, "2025-01-01", ("a.csv", 1))
    assert row.values == {"id": 2, "event_time": "2025-01-01T02:00:00+00:00", "card": "b", "amount": 1.0, "label": 0}


def test_a_correction_file_is_in_the_default_dialect_whatever_the_landed_files_are_in(make_spec, small):
    small["source"]["csv"] = {"delimiter": ";", "decimal": ",", "skip_lines": 3}
    feed = rows_feed(make_spec(source=small["source"]))
    (row,) = read_repair_file(feed, "fixed.csv", content(GOOD | {"amount": 1.5}))
    assert row.values["amount"] == 1.5


def test_a_good_row_becomes_a_correction_that_remembers_the_landed_row(feed):
    checked = check(feed, GOOD)
    assert checked.problems == []
    (correction,) = checked.corrections
    assert (correction.landed, correction.values["amount"], correction.replaced["amount"]) == (("a.csv", 1), 1.0, -1.0)


def test_an_existing_correction_is_not_added_again(feed):
    delivered = dict([correction_file(1, check(feed, GOOD).corrections)])
    assert check(feed, GOOD, files=delivered).corrections == []
    other = check(feed, {**GOOD, "amount": 2}, files=delivered)
    assert [correction.values["amount"] for correction in other.corrections] == [2.0]
    named = {**GOOD, "_source_file": next(iter(delivered)), "_source_row": 0, "amount": 3}
    (correction,) = check(feed, named, files=delivered).corrections
    assert correction.landed == ("a.csv", 1)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"amount": -2}, "amount: less than minimum 0"),
        ({"amount": "lots"}, "amount: cannot be read"),
        ({"card": ""}, "card: missing"),
        ({"event_time": "2025-01-02 00:00"}, "event_time: outside the day of the partition"),
        ({"id": 1}, "row_key id: stands in rows that differ"),
        ({"_source_row": 7}, "_source_file, _source_row: raw_data of 2025-01-01 has no such row"),
        ({"_source_file": "b.csv"}, "_source_file, _source_row: raw_data of 2025-01-01 has no such row"),
    ],
)
def test_an_invalid_row_is_named(feed, change, fault):
    row = {**GOOD, **change}
    assert check(feed, row).problems == [
        f"row 1 (2025-01-01, {row['_source_file']}, row {row['_source_row']}): {fault}"
    ]


def test_two_corrections_of_one_row_are_a_problem(feed):
    assert check(feed, GOOD, {**GOOD, "amount": 3}).problems == [
        "row 2 (2025-01-01, a.csv, row 1): replaces the same landed row as row 1"
    ]


def test_a_row_may_be_made_equal_to_the_right_one_of_its_key(feed):
    same = {**GOOD, "id": 1, "event_time": "2025-01-01 01:00", "card": "007", "amount": 1.5, "label": 0}
    checked = check(feed, same)
    assert (checked.problems, checked.corrections[0].values["card"]) == ([], "007")


def test_rows_without_day_or_landed_row_are_problems(feed):
    rows = read_repair_file(feed, "fixed.csv", content({**GOOD, "_day": "monday"}, {**GOOD, "_source_row": "x"}))
    days, faults = by_day(rows)
    assert days == {}
    assert ["not a day" in faults[0], "not named" in faults[1]] == [True, True]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "fixed.csv",
            content({key: value for key, value in GOOD.items() if key != "card"}),
            "fixed.csv has no column card; it needs",
        ),
        ("fixed.csv", content({**GOOD, "crad": 1}), "columns that the contract does not have: crad"),
        ("fixed.xlsx", b"", "must end in .csv, .jsonl or .parquet"),
        ("fixed.parquet", b"no parquet", "fixed.parquet cannot be read"),
        ("fixed.csv", content(GOOD) + b"1,2\n", "1 line is not a row"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(feed, name, text, message):
    with pytest.raises(RepairRefused, match=message):
        read_repair_file(feed, name, text)


def test_reasons_that_a_correction_cannot_remove_are_left_out():
    assert correctable_reasons(["amount: missing", f"row_key id: {REPEATED}"]) == ["amount: missing"]
    assert correctable_reasons([THE_DAY_IS_REJECTED, "amount: missing"]) == []
