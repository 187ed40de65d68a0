"""The check of a column passes while no rule of it is broken by too many rows."""

from datetime import date

import pandas as pd

from ml_assets.core.checks.contract import contract_check_names, contract_outcomes

DAY = date(2025, 1, 1)


def broken(*lines: tuple) -> pd.DataFrame:
    names = ["column", "rule", "severity", "rows", "share", "sample"]
    return pd.DataFrame([(*line, "[]") for line in lines], columns=pd.Index(names))


def found(spec, *lines: tuple, has_rows: bool = True) -> dict:
    return {outcome.check: outcome for outcome in contract_outcomes(spec, DAY, broken(*lines), has_rows)}


def test_names_of_columns_become_names_of_checks_and_no_two_are_the_same(make_spec, small):
    columns = {**small["columns"], "a b": {"type": "number"}, "a-b": {"type": "number"}, "row_key": {"type": "number"}}
    of_key, of_columns = contract_check_names(make_spec(columns=columns))
    assert of_key == "contract_row_key"
    assert [of_columns[name] for name in ("card", "a b", "a-b", "row_key")] == [
        "contract_card",
        "contract_a_b",
        "contract_a_b_2",
        "contract_row_key_2",
    ]


def test_columns_without_broken_rules_pass(make_spec):
    outcomes = found(make_spec())
    assert len(outcomes) == 6
    assert all(outcome.passed for outcome in outcomes.values())


def test_a_day_without_rows_is_not_judged(make_spec):
    assert {(outcome.passed, outcome.reason) for outcome in found(make_spec(), has_rows=False).values()} == {
        (None, "the day has no rows")
    }


def test_a_broken_rule_fails_its_column_alone_and_names_rule_rows_and_share(make_spec):
    lines = [("amount", "missing", "error", 1, 0.01), ("amount", "less than minimum 0", "error", 4, 0.04)]
    outcomes = found(make_spec(), *lines)
    assert [check for check, outcome in outcomes.items() if outcome.failed] == ["contract_amount"]
    amount = outcomes["contract_amount"]
    assert (
        amount.reason
        == "less than minimum 0: 4 rows (4.00%), more than quality.max_rule_share 0.00%; 1 more of its rules are broken"
    )
    assert amount.severity == "error"
    assert [dict(line) for line in amount.lines] == [
        {"rule": "less than minimum 0", "severity": "error", "rows": 4, "share": 0.04, "sample": "[]"},
        {"rule": "missing", "severity": "error", "rows": 1, "share": 0.01, "sample": "[]"},
    ]


def test_up_to_the_share_that_the_specification_lets_pass_a_rule_may_be_broken(make_spec):
    spec = make_spec(quality={"max_rule_share": 0.04})
    passed = found(spec, ("amount", "missing", "error", 4, 0.04))["contract_amount"]
    assert passed.passed
    assert passed.reason == "missing: 4 rows (4.00%), not more than quality.max_rule_share 4.00%"
    assert len(passed.lines) == 1
    assert found(spec, ("amount", "missing", "error", 5, 0.05))["contract_amount"].failed


def test_a_rule_of_severity_warn_fails_with_a_warning_unless_an_error_fails_too(make_spec):
    warned = ("card", "missing", "warn", 50, 0.5)
    assert found(make_spec(), warned)["contract_card"].severity == "warn"
    both = found(make_spec(), warned, ("card", "does not match A", "error", 1, 0.01))["contract_card"]
    assert both.severity == "error"
    assert both.reason.startswith("does not match A: 1 rows")
    below = found(make_spec(quality={"max_rule_share": 0.1}), warned, ("card", "does not match A", "error", 1, 0.01))[
        "contract_card"
    ]
    assert (below.severity, below.failed) == ("warn", True)
    assert below.reason.startswith("missing: 50 rows")


def test_rules_of_the_key_are_judged_apart_from_a_column_of_that_name(make_spec, small):
    spec = make_spec(columns={**small["columns"], "row_key": {"type": "number"}})
    outcomes = found(
        spec, ("row_key", "repeats a row of the day", "error", 1, 0.1), ("row_key", "missing", "error", 2, 0.2)
    )
    assert [line["rule"] for line in outcomes["contract_row_key"].lines] == ["repeats a row of the day"]
    assert [line["rule"] for line in outcomes["contract_row_key_2"].lines] == ["missing"]
