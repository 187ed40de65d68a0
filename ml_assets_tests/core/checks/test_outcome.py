"""Failed outcomes pass if the specification accepts them."""

from datetime import date

import pytest

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec.checks.checks import Checks

DAY = date(2025, 1, 3)
FAILED = CheckOutcome("row_count", DAY, False, "950 rows are 10 times the median")


@pytest.mark.parametrize("names", [["row_count"], ["all"], ["column_drift", "row_count"]])
def test_an_accepted_failure_passes_and_keeps_its_reason(names):
    (outcome,) = apply_accepted_failures(Checks.model_validate({"accepted": {str(DAY): names}}), [FAILED])
    assert outcome.passed
    assert outcome.reason == "accepted by checks.accepted: 950 rows are 10 times the median"


@pytest.mark.parametrize("accepted", [{}, {"2025-01-04": ["row_count"]}, {str(DAY): ["column_drift"]}])
def test_other_days_and_other_checks_still_fail(accepted):
    assert apply_accepted_failures(Checks.model_validate({"accepted": accepted}), [FAILED]) == [FAILED]


def test_an_outcome_without_evaluation_stays_as_it_is():
    not_evaluated = CheckOutcome("row_count", DAY, None, "no days before")
    assert apply_accepted_failures(Checks.model_validate({"accepted": {str(DAY): ["all"]}}), [not_evaluated]) == [
        not_evaluated
    ]


def test_an_unknown_check_cannot_be_accepted():
    with pytest.raises(ValueError, match=r"accepted\.2025-01-03: there is no check row_cuont"):
        Checks.model_validate({"accepted": {str(DAY): ["row_cuont"]}})
