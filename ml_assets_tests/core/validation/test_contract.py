"""The rules of the specification as a pandera schema, and their violations."""

import pandas as pd
import pytest

from ml_assets.core.tables.schemas import UNREADABLE
from ml_assets.core.validation.contract import contract_schema, find_violations


def rows(**columns: list) -> pd.DataFrame:
    good = {
        "id": 1,
        "event_time": pd.Timestamp("2025-01-01", tz="UTC"),
        "card": "A",
        "amount": 1.0,
        "label": 0,
        UNREADABLE: None,
    }
    length = max([len(values) for values in columns.values()], default=1)
    return pd.DataFrame({name: columns.get(name, [value] * length) for name, value in good.items()})


def result(spec, frame: pd.DataFrame, inside: bool = True) -> list[tuple[int, str]]:
    broken = find_violations(spec, frame, pd.Series([inside] * len(frame)))
    return list(zip(broken["row"], broken["reason"], strict=True))


def test_the_schema_has_every_column_and_its_rules(make_spec):
    schema = contract_schema(make_spec())
    assert list(schema.columns) == ["id", "event_time", "card", "amount", "label"]
    assert [check.error for check in schema.columns["amount"].checks] == ["less than minimum 0"]


def test_valid_rows_have_no_violations(make_spec):
    assert result(make_spec(), rows(amount=[0.0, 1.0])) == []


def test_each_violation_is_a_line_with_the_position_of_the_row(make_spec):
    assert result(make_spec(), rows(amount=[1.0, -1.0, -2.0], card=["A", None, "B"])) == [
        (1, "amount: less than minimum 0"),
        (1, "card: missing"),
        (2, "amount: less than minimum 0"),
    ]


def test_bounds_themselves_are_valid(make_spec, small):
    small["columns"]["amount"] |= {"maximum": 10}
    assert result(make_spec(columns=small["columns"]), rows(amount=[0.0, 10.0, 10.1])) == [
        (2, "amount: more than maximum 10")
    ]


def test_a_missing_value_violates_no_rule_of_values(make_spec, small):
    small["columns"]["amount"] |= {"nullable": True}
    assert result(make_spec(columns=small["columns"]), rows(amount=[None, 1.0])) == []


def test_a_row_outside_the_day_is_a_violation(make_spec):
    assert result(make_spec(), rows(), inside=False) == [(0, "event_time: outside the day of the partition")]


def test_no_rows_have_no_violations(make_spec):
    assert result(make_spec(), rows().iloc[:0]) == []


def test_a_pattern_may_begin_with_flags_and_holds_for_the_whole_value(make_spec, small):
    small["columns"]["card"] |= {"pattern": "(?i)a|abc", "nullable": True}
    values = ["ABC", "a", "ab", "xabc", "abc\n", "", None]
    broken = result(make_spec(columns=small["columns"]), rows(card=values))
    assert broken == [(row, "card: does not match (?i)a|abc") for row in (2, 3, 4, 5)]


def test_a_pattern_over_missing_values_has_no_violations(make_spec, small):
    small["columns"]["card"] |= {"pattern": "[A-C]", "nullable": True}
    assert result(make_spec(columns=small["columns"]), rows(card=[None, None])) == []


def test_a_rule_that_cannot_be_applied_is_an_error(make_spec, small):
    small["columns"]["card"] |= {"pattern": "[A-C]"}
    with pytest.raises(ValueError, match="the rules of column card cannot be applied: does not match"):
        result(make_spec(columns=small["columns"]), rows(card=[1, 2]))
