"""Severities, checks and metrics must fit the columns and features of their model."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused


def test_a_rule_of_the_label_key_cannot_be_a_mere_warning(small):
    small["columns"]["card"]["severity"] = {"missing": "warn"}
    ModelSpec.model_validate(small)
    small["labels"] = {"files": "labels/{day}/*", "key": ["card"]}
    with pytest.raises(ValidationError, match=r"columns\.card\.severity: the column is part of labels\.key"):
        ModelSpec.model_validate(small)


def test_a_column_that_has_no_check_cannot_block(small):
    small["columns"]["amount"]["blocking"] = True
    ModelSpec.model_validate(small)
    small["checks"] = {"contract": False}
    with pytest.raises(ValidationError, match=r"columns\.amount\.blocking: checks\.contract is false"):
        ModelSpec.model_validate(small)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("checks.column_drift", {"leave_out": ["nothing"]}, "checks.column_drift.leave_out: there is no nothing"),
        ("checks.feature_drift", {"leave_out": ["card"]}, "checks.feature_drift.leave_out: there is no card"),
        ("checks.accepted", {"2025-01-03": ["contract_nothing"]}, "2025-01-03: there is no check contract_nothing"),
        ("metrics", [{"name": "row_count", "aggregate": "rows"}], "defined more than once: row_count"),
        ("metrics", [{"name": "x", "aggregate": "sum", "column": "nothing"}], "the features have no nothing"),
        ("metrics", [{"name": "x", "aggregate": "sum", "column": "card"}], "card is not a number"),
    ],
)
def test_checks_and_metrics_of_unknown_columns_are_refused(small, path, value, reason):
    assert_refused(small, path, value, reason)


@pytest.mark.parametrize(
    ("settings", "severity"),
    [({"leave_out": ["amount"]}, "warn"), ({"severity": "error"}, "error"), ({"blocking": True}, "error")],
)
def test_a_check_keeps_the_severity_of_its_default_unless_it_states_one_or_blocks(make_spec, settings, severity):
    checks = make_spec(checks={"feature_drift": settings, "row_count": {"weeks": 3}}).checks
    assert (checks.feature_drift.severity, checks.row_count.severity) == (severity, "error")
