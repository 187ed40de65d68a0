"""Checks and metrics whose settings contradict each other are refused."""

from datetime import date

import pytest

from ml_assets.core.model_spec.checks import Checks, contract_check_name
from ml_assets_tests.support.changed_spec import assert_refused


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("checks.row_count", {"severity": "warn", "blocking": True}, "a check of severity warn cannot block"),
        ("checks.label_rate", {"minimum": 0.5, "maximum": 0.1}, "minimum 0.5 is above maximum 0.1"),
        ("checks.accepted", {"2025-01-03": ["row_cuont"]}, "accepted.2025-01-03: there is no check row_cuont"),
        ("metrics", [{"name": "x", "aggregate": "sum"}], "aggregate sum needs a column"),
        ("metrics", [{"name": "x", "aggregate": "rows", "column": "card"}], "aggregate rows takes no column"),
        ("metrics", [{"name": "x", "aggregate": "rows", "at_least": 2, "at_most": 1}], "at_least 2 is above at_most 1"),
    ],
)
def test_checks_that_contradict_themselves_are_refused(small, path, value, reason):
    assert_refused(small, path, value, reason)


def test_checks_that_are_switched_off_are_not_enabled():
    enabled = dict(Checks.model_validate({"row_count": None}).enabled())
    assert "row_count" not in enabled
    assert enabled["label_timeliness"].severity == "warn"


def test_a_day_is_accepted_for_the_checks_that_are_named():
    checks = Checks.model_validate({"accepted": {"2025-01-03": ["row_count"], "2025-01-04": ["all"]}})
    days = [date(2025, 1, day) for day in (3, 4, 5)]
    assert [checks.is_accepted("row_count", day) for day in days] == [True, True, False]
    assert [checks.is_accepted("no_gaps", day) for day in days] == [False, True, False]


def test_contract_checks_are_named_as_dagster_allows():
    assert contract_check_name("card number") == "contract_card_number"
