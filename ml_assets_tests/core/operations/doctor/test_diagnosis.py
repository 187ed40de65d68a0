"""A diagnosis has a remedy exactly when there is a problem."""

import pytest

from ml_assets.core.operations.doctor.diagnosis import Diagnosis, Severity, error, error_in_production, ok, warning


def test_a_problem_needs_a_remedy_and_a_check_that_is_ok_has_none():
    assert ok("lake", "there").remedy == ""
    for make in (warning, error):
        assert make("lake", "gone", "create it").remedy == "create it"
        with pytest.raises(ValueError, match="lake: a warning or an error needs a remedy"):
            make("lake", "gone", "")
    with pytest.raises(ValueError, match="a check that is OK has none"):
        Diagnosis("lake", Severity.OK, "there", "create it")


def test_a_warning_on_a_laptop_can_be_an_error_in_production():
    assert error_in_production(True, "daemons", "dead", "start them").severity is Severity.ERROR
    assert error_in_production(False, "daemons", "dead", "start them").severity is Severity.WARNING
