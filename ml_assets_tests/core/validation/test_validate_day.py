"""A day is split into accepted and quarantined rows, and no row is lost."""

import json
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA, raw_schema
from ml_assets.core.validation.validate_day import RawDay, ValidatedDay, validate_day, validate_days
from ml_assets_tests.conftest import SMALL

pytestmark = pytest.mark.clock

DAY = date(2025, 1, 1)
TIME = "2025-01-01T10:00:00"
GOOD = {"id": 1, "event_time": TIME, "card": "A", "amount": 1.0, "label": 0}


def rows(count: int) -> list[dict]:
    return [{**GOOD, "id": number} for number in range(count)]


def landed(spec: ModelSpec, *files: list[dict] | bytes) -> tuple[pa.Table, pa.Table]:
    """Rows and landed objects of JSON-lines files."""
    parts, objects = [raw_schema(spec).empty_table()], []
    for number, content in enumerate(files):
        lines = content if isinstance(content, bytes) else "\n".join(json.dumps(row) for row in content).encode()
        file = read_landed_file(spec, f"{number}.jsonl", lines)
        parts += [file.rows] if file.rows is not None else []
        size = file.rows.num_rows if file.rows is not None else None
        objects.append({"key": f"{number}.jsonl", "digest": "d", "size": 1, "rows": size, "fault": file.fault})
    return pa.concat_tables(parts), pa.Table.from_pylist(objects, schema=LANDED_OBJECTS_SCHEMA)


def validate(spec: ModelSpec, *files: list[dict] | bytes, day: date = DAY) -> ValidatedDay:
    """Validate a day of JSON-lines files."""
    return validate_day(spec, day, *landed(spec, *files))


def reasons(day: ValidatedDay, scope: str = "row") -> list[list[str]]:
    return [entry["reasons"] for entry in day.quarantined.to_pylist() if entry["scope"] == scope]


def test_valid_rows_are_published_in_the_order_of_time_and_key(make_spec):
    day = validate(
        make_spec(), [{**GOOD, "id": 3}, {**GOOD, "id": 2}, {**GOOD, "id": 9, "event_time": "2025-01-01T09:00:00"}]
    )
    assert day.accepted["id"].to_pylist() == [9, 2, 3]
    assert day.quarantined.num_rows == 0


def test_the_event_time_may_be_part_of_the_row_key(make_spec):
    times = ["2025-01-01T11:00:00", TIME, "2025-01-01T09:00:00"]
    day = validate(make_spec(row_key=["id", "event_time"]), [{**GOOD, "event_time": time} for time in times])
    assert [f"{time:%H}" for time in day.accepted["event_time"].to_pylist()] == ["09", "10", "11"]


def test_every_violation_of_a_row_is_named(make_spec):
    bad = {"id": 5, "event_time": "2025-01-02T00:00:00", "card": None, "amount": -1, "label": 7}
    day = validate(make_spec(), [*rows(20), bad])
    assert day.accepted.num_rows == 20
    assert reasons(day) == [
        [
            "amount: less than minimum 0",
            "card: missing",
            "event_time: outside the day of the partition",
            "label: not one of 0, 1",
        ]
    ]
    entry = day.quarantined.to_pylist()[0]
    assert (entry["source_file"], entry["source_row"], json.loads(entry["row"])["amount"]) == ("0.jsonl", 20, -1.0)


def test_an_unreadable_value_is_named_once_and_kept(make_spec):
    day = validate(make_spec(), [*rows(20), {**GOOD, "id": 77, "amount": "much"}])
    assert reasons(day) == [["amount: cannot be read"]]
    assert day.quarantined["unreadable_values"].to_pylist() == ['{"amount": "much"}']


def test_text_rules_hold_for_the_whole_value(make_spec, small):
    small["columns"]["card"] |= {"pattern": "[A-C]"}
    day = validate(make_spec(columns=small["columns"]), [*rows(20), {**GOOD, "id": 77, "card": "AB"}])
    assert reasons(day) == [["card: does not match [A-C]"]]


def test_the_day_ends_in_the_time_zone_of_the_source(make_spec):
    spec = make_spec(source={**SMALL["source"], "time_zone": "Europe/Brussels"})
    inside, outside = "2024-12-31T23:30:00Z", "2025-01-01T23:30:00Z"
    day = validate(
        spec, [*rows(20), {**GOOD, "id": 50, "event_time": inside}, {**GOOD, "id": 51, "event_time": outside}]
    )
    assert 50 in day.accepted["id"].to_pylist()
    assert reasons(day) == [["event_time: outside the day of the partition"]]


def test_of_identical_rows_one_is_published_within_and_across_files(make_spec):
    day = validate(make_spec(), [*rows(3), {**GOOD, "id": 1}], rows(2))
    assert sorted(day.accepted["id"].to_pylist()) == [0, 1, 2]
    assert reasons(day) == [["row_key id: repeats a row of the day"]] * 3


def test_a_file_that_was_delivered_twice_does_not_reject_the_day(make_spec):
    assert validate(make_spec(), rows(10), rows(10)).accepted.num_rows == 10


def test_rows_with_one_key_that_differ_are_all_quarantined(make_spec):
    day = validate(make_spec(), [*rows(30), {**GOOD, "id": 3, "amount": 2.0}])
    assert 3 not in day.accepted["id"].to_pylist()
    assert reasons(day) == [["row_key id: stands in rows that differ"]] * 2


def test_a_valid_row_is_published_beside_an_invalid_one_with_its_key(make_spec):
    day = validate(make_spec(), [*rows(30), {**GOOD, "id": 3, "amount": -2.0}])
    assert day.accepted.num_rows == 30
    assert reasons(day) == [["amount: less than minimum 0"]]


def test_a_day_with_too_many_invalid_rows_is_rejected(make_spec):
    bad = [{**GOOD, "id": 100 + number, "amount": -1} for number in range(2)]
    assert validate(make_spec(), rows(18), bad).accepted.num_rows == 18
    day = validate(make_spec(), rows(17), bad)
    assert day.accepted.num_rows == 0
    assert reasons(day, "day") == [["2 of 19 rows (10.5%) are bad, more than quality.max_bad_share 10.0%"]]
    assert reasons(day).count(["the day is rejected"]) == 17
    assert len(reasons(day)) == 19


@pytest.mark.parametrize(
    ("quality", "count", "reason"),
    [
        ({"min_rows": 5}, 4, "4 rows are fewer than quality.min_rows 5"),
        ({"max_rows": 5}, 6, "6 rows are more than quality.max_rows 5"),
    ],
)
def test_a_day_of_the_wrong_size_is_rejected(make_spec, quality, count, reason):
    assert validate(make_spec(quality=quality), rows(5)).accepted.num_rows == 5
    day = validate(make_spec(quality=quality), rows(count))
    assert day.accepted.num_rows == 0
    assert reasons(day, "day") == [[reason]]


def test_a_day_with_an_unreadable_file_is_rejected_and_its_other_rows_are_kept(make_spec):
    day = validate(make_spec(), rows(5), b"\xff\xfe")
    assert day.accepted.num_rows == 0
    assert reasons(day, "day") == [["cannot be read: 1.jsonl"]]
    assert "1.jsonl" in day.quarantined["source_file"].to_pylist()
    assert len(reasons(day)) == 5


def test_a_day_without_files_is_empty_and_says_so(make_spec):
    day = validate(make_spec())
    assert (day.accepted.num_rows, reasons(day, "day")) == (0, [["no files have landed for 2025-01-01"]])


ROW = st.fixed_dictionaries(
    {
        "id": st.integers(0, 5) | st.none(),
        "event_time": st.sampled_from([TIME, "2025-01-01T11:00:00", "2025-01-03T00:00:00", "never"]),
        "card": st.sampled_from(["A", "B", None]),
        "amount": st.sampled_from([1.0, 2.0, -1.0, "x"]),
        "label": st.sampled_from([0, 1, 2]),
    }
)


@given(st.lists(ROW, max_size=12), st.randoms(use_true_random=False))
def test_nothing_is_lost_and_order_and_split_over_files_do_not_matter(result, random):
    spec = ModelSpec.model_validate({**SMALL, "quality": {"max_bad_share": 1}})
    day = validate(spec, result)
    assert day.accepted.num_rows + len(reasons(day)) == len(result)
    shuffled = random.sample(result, len(result))
    cut = random.randint(0, len(result))
    again = validate(spec, shuffled[:cut], shuffled[cut:])
    if result:
        assert again.accepted.to_pylist() == day.accepted.to_pylist()
        assert sorted(reasons(again)) == sorted(reasons(day))


@given(st.lists(st.lists(ROW, max_size=6), min_size=1, max_size=4), st.sampled_from([0.2, 1]))
def test_days_validated_together_are_the_days_validated_one_by_one(results, max_bad_share):
    spec = ModelSpec.model_validate({**SMALL, "quality": {"max_bad_share": max_bad_share}})
    days = [RawDay(DAY + timedelta(days=number % 2), *landed(spec, rows)) for number, rows in enumerate(results)]
    for raw_day, together in zip(days, validate_days(spec, days), strict=True):
        alone = validate_day(spec, raw_day.day, raw_day.rows, raw_day.objects)
        assert together.accepted.equals(alone.accepted)
        assert together.quarantined.equals(alone.quarantined)
        assert together.violations.equals(alone.violations)


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        ("America/Santiago", date(2025, 9, 6), "2025-09-06T04:00:00Z", "2025-09-07T03:59:59Z"),
        ("America/Santiago", date(2025, 9, 7), "2025-09-07T04:00:00Z", "2025-09-08T02:59:59Z"),
        ("Africa/Cairo", date(2025, 4, 25), "2025-04-24T22:00:00Z", "2025-04-25T20:59:59Z"),
        ("America/Havana", date(2025, 11, 2), "2025-11-02T04:00:00Z", "2025-11-03T04:59:59Z"),
    ],
)
def test_a_day_without_a_single_midnight_has_its_rows_and_no_others(make_spec, zone, day, first, last):
    spec = make_spec(source={**SMALL["source"], "time_zone": zone}, quality={"max_bad_share": 1})
    second = timedelta(seconds=1)
    before, after = datetime.fromisoformat(first) - second, datetime.fromisoformat(last) + second
    times = [before.isoformat(), first, last, after.isoformat()]
    validated = validate(
        spec, [{**GOOD, "id": number, "event_time": time} for number, time in enumerate(times)], day=day
    )
    assert validated.accepted["id"].to_pylist() == [1, 2]


def test_a_quarantined_row_keeps_15_decimals(make_spec):
    amounts = [-0.1234567890123456, -123456789.012345, -0.000000000001234]
    day = validate(
        make_spec(),
        [*rows(40), *({**GOOD, "id": 50 + number, "amount": amount} for number, amount in enumerate(amounts))],
    )
    kept = [json.loads(entry["row"])["amount"] for entry in day.quarantined.to_pylist()]
    assert kept == pytest.approx(amounts, rel=0, abs=1e-15)


def test_rows_that_differ_only_after_a_nul_character_are_not_repeats(make_spec, small):
    small["columns"]["card"]["nullable"] = True
    day = validate(
        make_spec(columns=small["columns"]), [*rows(20), *({**GOOD, "id": 77, "card": f"a\0{x}"} for x in "bc")]
    )
    assert reasons(day) == [["row_key id: stands in rows that differ"]] * 2
