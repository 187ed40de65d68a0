"""What checks say of days, and days that somebody looked at and accepts."""

from datetime import date

import pytest

from ml_assets.core.checks.outcome import CheckOutcome, with_accepted
from ml_assets.core.model_spec.checks import Checks

DAY = date(2025, 1, 3)
FAILED = CheckOutcome("row_count", DAY, False, "950 rows are 10 times the median")


@pytest.mark.parametrize("names", [["row_count"], ["all"], ["column_drift", "row_count"]])
def test_a_failure_that_the_specification_accepts_passes_and_still_says_what_was_found(names):
    (found,) = with_accepted(Checks.model_validate({"accepted": {str(DAY): names}}), [FAILED])
    assert found.passed
    assert found.reason == "accepted by checks.accepted: 950 rows are 10 times the median"


@pytest.mark.parametrize("accepted", [{}, {"2025-01-04": ["row_count"]}, {str(DAY): ["column_drift"]}])
def test_other_days_and_other_checks_still_fail(accepted):
    assert with_accepted(Checks.model_validate({"accepted": accepted}), [FAILED]) == [FAILED]


def test_a_day_that_could_not_be_judged_stays_so():
    unjudged = CheckOutcome("row_count", DAY, None, "no days before")
    assert with_accepted(Checks.model_validate({"accepted": {str(DAY): ["all"]}}), [unjudged]) == [unjudged]


def test_an_unknown_check_cannot_be_accepted():
    with pytest.raises(ValueError, match=r"accepted\.2025-01-03: there is no check row_cuont"):
        Checks.model_validate({"accepted": {str(DAY): ["row_cuont"]}})
