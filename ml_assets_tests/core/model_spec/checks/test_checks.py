"""Checks that are switched off are not enabled, and failures that somebody accepted are named."""

from datetime import date

from ml_assets.core.model_spec.checks.checks import Checks
from ml_assets_tests.support.changed_spec import assert_refused


def test_an_accepted_failure_names_a_check(small):
    reason = "accepted.2025-01-03: there is no check row_cuont"
    assert_refused(small, "checks.accepted", {"2025-01-03": ["row_cuont"]}, reason)


def test_checks_that_are_switched_off_are_not_enabled():
    enabled = dict(Checks.model_validate({"row_count": None}).enabled())
    assert "row_count" not in enabled
    assert enabled["label_timeliness"].severity == "warn"


def test_a_day_is_accepted_for_the_checks_that_are_named():
    checks = Checks.model_validate({"accepted": {"2025-01-03": ["row_count"], "2025-01-04": ["all"]}})
    days = [date(2025, 1, day) for day in (3, 4, 5)]
    assert [checks.is_accepted("row_count", day) for day in days] == [True, True, False]
    assert [checks.is_accepted("no_gaps", day) for day in days] == [False, True, False]
