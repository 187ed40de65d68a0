"""Contract checks fail if too many rows violate a rule of a column."""

from datetime import date

import pandas as pd

from ml_assets.core.checks.contract import contract_check_names, evaluate_contract_checks

DAY = date(2025, 1, 1)


def violations(*lines: tuple) -> pd.DataFrame:
    names = ["column", "rule", "severity", "rows", "share", "sample"]
    return pd.DataFrame([(*line, "[]") for line in lines], columns=pd.Index(names))


def evaluate(spec, *lines: tuple, has_rows: bool = True) -> dict:
    return {outcome.check: outcome for outcome in evaluate_contract_checks(spec, DAY, violations(*lines), has_rows)}


def test_column_names_become_unique_check_names(make_spec, small):
    columns = {**small["columns"], "a b": {"type": "number"}, "a-b": {"type": "number"}, "row_key": {"type": "number"}}
    key_check, column_checks = contract_check_names(make_spec(columns=columns))
    assert key_check == "contract_row_key"
    assert [column_checks[name] for name in ("card", "a b", "a-b", "row_key")] == [
        "contract_card",
        "contract_a_b",
        "contract_a_b_2",
        "contract_row_key_2",
    ]


def test_columns_without_violations_pass(make_spec):
    outcomes = evaluate(make_spec())
    assert len(outcomes) == 6
    assert all(outcome.passed for outcome in outcomes.values())


def test_a_day_without_rows_is_not_evaluated(make_spec):
    assert {(outcome.passed, outcome.reason) for outcome in evaluate(make_spec(), has_rows=False).values()} == {
        (None, "the day has no rows")
    }


def test_a_violated_rule_fails_only_its_column_with_rule_rows_and_share(make_spec):
    lines = [("amount", "missing", "error", 1, 0.01), ("amount", "less than minimum 0", "error", 4, 0.04)]
    outcomes = evaluate(make_spec(quality={"max_rule_share": 0}), *lines)
    assert [check for check, outcome in outcomes.items() if outcome.failed] == ["contract_amount"]
    amount = outcomes["contract_amount"]
    assert (
        amount.reason == "less than minimum 0: 4 rows (4.00%), more than quality.max_rule_share 0.00%;"
        " 1 more of its rules are violated"
    )
    assert amount.severity == "error"
    assert [dict(line) for line in amount.lines] == [
        {"rule": "less than minimum 0", "severity": "error", "rows": 4, "share": 0.04, "sample": "[]"},
        {"rule": "missing", "severity": "error", "rows": 1, "share": 0.01, "sample": "[]"},
    ]


def test_violations_up_to_the_allowed_share_pass(make_spec):
    spec = make_spec(quality={"max_rule_share": 0.04})
    passed = evaluate(spec, ("amount", "missing", "error", 4, 0.04))["contract_amount"]
    assert passed.passed
    assert passed.reason == "missing: 4 rows (4.00%), not more than quality.max_rule_share 4.00%"
    assert len(passed.lines) == 1
    assert evaluate(spec, ("amount", "missing", "error", 5, 0.05))["contract_amount"].failed


def test_by_default_a_few_bad_rows_pass_and_a_broken_column_fails(make_spec, small):
    assert "quality" not in small
    assert evaluate(make_spec(), ("amount", "missing", "error", 1, 1 / 600))["contract_amount"].passed
    assert evaluate(make_spec(), ("amount", "missing", "error", 36, 36 / 600))["contract_amount"].failed
    every_row = make_spec(quality={"max_rule_share": 0})
    assert evaluate(every_row, ("amount", "missing", "error", 1, 1 / 600))["contract_amount"].failed


def test_a_rule_of_severity_warn_fails_with_a_warning_unless_an_error_rule_fails_too(make_spec):
    warned = ("card", "missing", "warn", 50, 0.5)
    assert evaluate(make_spec(), warned)["contract_card"].severity == "warn"
    every_row = make_spec(quality={"max_rule_share": 0})
    both = evaluate(every_row, warned, ("card", "does not match A", "error", 1, 0.01))["contract_card"]
    assert both.severity == "error"
    assert both.reason.startswith("does not match A: 1 row ")
    below = evaluate(
        make_spec(quality={"max_rule_share": 0.1}), warned, ("card", "does not match A", "error", 1, 0.01)
    )["contract_card"]
    assert (below.severity, below.failed) == ("warn", True)
    assert below.reason.startswith("missing: 50 rows")


def test_rules_of_the_row_key_are_separate_from_a_column_named_row_key(make_spec, small):
    spec = make_spec(columns={**small["columns"], "row_key": {"type": "number"}})
    outcomes = evaluate(
        spec, ("row_key", "repeats a row of the day", "error", 1, 0.1), ("row_key", "missing", "error", 2, 0.2)
    )
    assert [line["rule"] for line in outcomes["contract_row_key"].lines] == ["repeats a row of the day"]
    assert [line["rule"] for line in outcomes["contract_row_key_2"].lines] == ["missing"]
