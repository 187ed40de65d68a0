"""A diagnosis says how to mend what is wrong, and nothing when all is well."""

import pytest

from ml_assets.core.operations.doctor.diagnosis import Diagnosis, Severity, error, error_in_production, ok, warning


def test_what_is_wrong_says_how_to_mend_it_and_nothing_else_does():
    assert ok("lake", "there").remedy == ""
    for make in (warning, error):
        assert make("lake", "gone", "create it").remedy == "create it"
        with pytest.raises(ValueError, match="lake: what is wrong has to say how to mend it"):
            make("lake", "gone", "")
    with pytest.raises(ValueError, match="nothing else may"):
        Diagnosis("lake", Severity.OK, "there", "create it")


def test_what_a_laptop_can_live_with_is_an_error_in_production():
    assert error_in_production(True, "daemons", "dead", "start them").severity is Severity.ERROR
    assert error_in_production(False, "daemons", "dead", "start them").severity is Severity.WARNING
