"""A warning does not block, and the checks of a contract have names that Dagster allows."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec.checks.check import Check, contract_check_name


def test_a_check_of_severity_warn_cannot_block():
    assert Check(blocking=True).severity == "error"
    with pytest.raises(ValidationError, match="a check of severity warn cannot block"):
        Check(severity="warn", blocking=True)


def test_contract_checks_are_named_as_dagster_allows():
    assert contract_check_name("card number") == "contract_card_number"
