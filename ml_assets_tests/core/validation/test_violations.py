"""Violations are counted with a bounded sample, and rules of severity warn quarantine no row."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.validation.validate_day import validate_day
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.core.validation.test_validate_day import DAY, GOOD, ROW, landed, reasons, rows, validate


def lines(day) -> dict[tuple[str, str], dict]:
    return {
        (line["column"], line["rule"]): line | {"sample": json.loads(line["sample"])}
        for line in day.violations.to_pylist()
    }


def with_severity(small: dict, column: str, **severity: str) -> ModelSpec:
    small["columns"][column]["severity"] = severity
    return ModelSpec.model_validate(small)


def test_a_valid_day_has_no_violations(make_spec):
    assert validate(make_spec(), rows(3)).violations.num_rows == 0


def test_each_rule_is_a_line_with_rows_share_and_sample(make_spec):
    bad = [{**GOOD, "id": 20, "amount": -1, "card": None}, {**GOOD, "id": 21, "amount": -2.5}]
    result = lines(validate(make_spec(), [*rows(18), *bad]))
    assert list(result) == [("amount", "less than minimum 0"), ("card", "missing")]
    assert result["amount", "less than minimum 0"] == {
        "column": "amount",
        "rule": "less than minimum 0",
        "severity": "error",
        "rows": 2,
        "share": 0.1,
        "sample": [{"file": "0.jsonl", "row": 18, "value": "-1.0"}, {"file": "0.jsonl", "row": 19, "value": "-2.5"}],
    }
    assert result["card", "missing"]["sample"] == [{"file": "0.jsonl", "row": 18, "value": None}]


def test_a_sample_has_the_first_five_rows_and_a_hundred_characters_of_each(make_spec):
    many = [{**GOOD, "id": number, "amount": "x" * 500} for number in range(9)]
    result = lines(validate(make_spec(), many[:3], many[3:]))["amount", "cannot be read"]
    assert (result["rows"], result["share"]) == (9, 1.0)
    assert [(row["file"], row["row"]) for row in result["sample"]] == [
        ("0.jsonl", 0),
        ("0.jsonl", 1),
        ("0.jsonl", 2),
        ("1.jsonl", 0),
        ("1.jsonl", 1),
    ]
    assert {row["value"] for row in result["sample"]} == {"x" * 100}


def test_violations_of_other_rules_are_counted_too(make_spec):
    shared = [{**GOOD, "id": 1}, {**GOOD, "id": 2, "amount": 7.0}]
    late = {**GOOD, "id": 90, "event_time": "2025-01-02T00:00:00"}
    without = json.dumps({name: value for name, value in {**GOOD, "id": 91}.items() if name != "amount"})
    result = lines(validate(make_spec(), [*rows(40), *shared, late], without.encode() + b"\nno row\n"))
    assert {place: (line["severity"], line["rows"]) for place, line in result.items()} == {
        ("row_key", "repeats a row of the day"): ("error", 1),
        ("row_key", "stands in rows that differ"): ("error", 2),
        ("event_time", "outside the day of the partition"): ("error", 1),
        ("amount", "column missing in file"): ("error", 1),
        ("_line", "the line is no row"): ("error", 1),
    }
    assert result["row_key", "repeats a row of the day"]["sample"][0]["value"] == "1"
    assert result["_line", "the line is no row"]["sample"][0]["value"] == "no row"
    assert result["event_time", "outside the day of the partition"]["sample"][0]["value"] == "2025-01-02T00:00:00+00:00"


def test_a_rejected_day_has_the_violations_of_its_rows(make_spec):
    day = validate(make_spec(), [*rows(2), {**GOOD, "id": 9, "amount": -1}])
    assert day.accepted.num_rows == 0
    assert list(lines(day)) == [("amount", "less than minimum 0")]


@pytest.mark.parametrize(("column", "rule", "value"), [("amount", "minimum", -1.0), ("card", "missing", None)])
def test_a_row_that_violates_only_warnings_is_published_and_counted(small, column, rule, value):
    spec = with_severity(small, column, **{rule: "warn"})
    day = validate(spec, [{**GOOD, "id": number, column: value} for number in range(4)])
    assert day.accepted[column].to_pylist() == [value] * 4
    assert reasons(day) == []
    (line,) = lines(day).values()
    assert (line["severity"], line["rows"], line["share"]) == ("warn", 4, 1.0)


def test_a_row_that_also_violates_an_error_is_quarantined_with_every_reason(small):
    spec = with_severity(small, "card", missing="warn")
    day = validate(spec, [*rows(20), {**GOOD, "id": 77, "card": None, "amount": -1}])
    assert reasons(day) == [["amount: less than minimum 0", "card: missing"]]


def test_a_value_that_cannot_be_read_is_an_error_whatever_the_rules_say(small):
    spec = with_severity(small, "amount", missing="warn", minimum="warn")
    day = validate(spec, [*rows(20), {**GOOD, "id": 77, "amount": "x"}])
    assert reasons(day) == [["amount: cannot be read"]]
    assert lines(day)["amount", "cannot be read"]["severity"] == "error"


def test_a_rejected_row_with_a_warning_names_both_reasons(small):
    small["quality"] = {"min_rows": 5}
    day = validate(with_severity(small, "card", missing="warn"), [{**GOOD, "card": None}])
    assert reasons(day) == [["card: missing", "the day is rejected"]]


def test_rows_of_one_key_conflict_even_if_one_violates_a_warning(small):
    spec = with_severity(small, "card", missing="warn")
    day = validate(spec, [*rows(30), {**GOOD, "id": 3, "card": None}])
    assert reasons(day).count(["row_key id: stands in rows that differ"]) == 1
    assert 3 not in day.accepted["id"].to_pylist()


@given(st.lists(ROW, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_in_which_rows_are_read_does_not_matter(result, random):
    spec = ModelSpec.model_validate({**SMALL, "quality": {"max_bad_share": 1}})
    raw, objects = landed(spec, result[:4], result[4:])
    shuffled = raw.take(pa.array(random.sample(range(raw.num_rows), raw.num_rows), pa.int64()))
    day, again = validate_day(spec, DAY, raw, objects), validate_day(spec, DAY, shuffled, objects)
    assert again.violations.to_pylist() == day.violations.to_pylist()
    assert again.accepted.to_pylist() == day.accepted.to_pylist()
