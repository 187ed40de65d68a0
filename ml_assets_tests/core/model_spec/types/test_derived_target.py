"""A target in the form of a rule becomes a boolean column, and a rule that makes no sense is refused."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.tables.schemas import raw_schema, row_schema
from ml_assets_tests.support.changed_spec import assert_refused


@pytest.fixture
def flights(small: dict) -> dict:
    """The small specification with a delay in minutes in place of the label."""
    columns = {name: column for name, column in small["columns"].items() if name != "label"}
    columns["delay"] = {"type": "number", "nullable": True}
    columns["status"] = {"type": "string", "allowed": ["early", "late"]}
    return {**small, "columns": columns, "target": {"column": "delay", "above": 30}}


def test_a_derived_target_is_a_column_of_valid_rows_and_not_of_files(flights):
    spec = ModelSpec.model_validate(flights)
    assert (spec.target, spec.columns["label"].type, spec.columns["label"].nullable) == ("label", "boolean", True)
    assert "label" not in rows_feed(spec).columns
    assert "label" not in raw_schema(rows_feed(spec)).names
    assert row_schema(rows_feed(spec)).names == [*rows_feed(spec).columns, "label"]
    assert ModelSpec.model_validate(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"column": "delay"}, "target: state exactly one of above, below, equals, in, not none"),
        ({"column": "delay", "above": 1, "below": 2}, "not above, below"),
        ({"column": "delay", "over": 1}, "target.over: Extra inputs are not permitted"),
        ({"column": "nothing", "above": 1}, "target.column: there is no column nothing"),
        ({"column": "delay", "above": 30, "name": "amount"}, "target.name: amount is a landed column"),
        ({"column": "status", "above": 1}, "target.above: status is a string"),
        ({"column": "status", "equals": 1}, "target.equals: 1 is not a value of status"),
        ({"column": "status", "in": ["late", 2]}, "target.in: 2 is not a value of status"),
        ({"column": "status", "in": ["lost"]}, "target.in: 'lost' is not an allowed value of status"),
        ({"column": "status", "in": []}, "target.in: List should have at least 1 item"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_field_and_reason(flights, target, reason):
    assert_refused(flights, "target", target, reason)


def test_what_the_target_is_derived_from_is_guarded_as_the_target_is(flights):
    assert_refused(flights, "features.0.columns", ["amount", "delay"], "delay is known 2d after its row")


def test_a_derived_target_does_not_go_with_label_files_or_a_column_that_is_known_after_the_labels(flights):
    labels = {"files": "labels/{day}/*", "key": ["id"]}
    assert_refused({**flights}, "labels", labels, "target.column: a derived target is made from a column of the rows")
    assert_refused(flights, "columns.delay.known_after", "3d", "delay is known 3d after its row, later than")
