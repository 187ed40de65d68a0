"""Old names of checks keep working for a version, with a warning."""

import warnings
from datetime import date

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.json_schema import documented_schema
from ml_assets.core.model_spec.rules.renamed_checks import RENAMED_CHECKS, accept_former_names


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("no_leak", "target_leakage"),
        ("same_when_scored", "training_serving_skew"),
        ("labels_on_time", "label_timeliness"),
    ],
)
def test_a_check_under_its_old_name_is_read_with_a_warning(small, old, new):
    small["checks"] = {old: {"severity": "error", "blocking": True}}
    with pytest.warns(FutureWarning, match=f"small: checks.{old}: the check {old} is now called {new}"):
        spec = ModelSpec.model_validate(small)
    assert getattr(spec.checks, new).blocking


def test_a_day_that_is_accepted_under_an_old_name_is_accepted_with_a_warning(small):
    small["checks"] = {"accepted": {"2025-01-03": ["no_leak", "row_count"]}}
    with pytest.warns(
        FutureWarning, match=r"checks.accepted.2025-01-03: the check no_leak is now called target_leakage"
    ):
        spec = ModelSpec.model_validate(small)
    assert spec.checks.accepted == {date(2025, 1, 3): ["target_leakage", "row_count"]}


def test_the_schema_of_a_file_accepts_old_names_as_deprecated():
    properties = accept_former_names(documented_schema())["$defs"]["Checks"]["properties"]
    assert {name for name, field in properties.items() if field.get("deprecated")} == set(RENAMED_CHECKS)
    assert properties["no_leak"]["anyOf"] == properties["target_leakage"]["anyOf"]
    assert "no_leak" not in documented_schema()["$defs"]["Checks"]["properties"]


def test_the_old_and_the_new_name_together_are_refused(small):
    small["checks"] = {"no_leak": None, "target_leakage": None}
    with pytest.raises(ValidationError, match="no_leak and target_leakage are the same check"):
        ModelSpec.model_validate(small)


def test_new_names_are_read_without_a_warning(small):
    small["checks"] = {"target_leakage": None, "accepted": {"2025-01-03": ["label_timeliness"]}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ModelSpec.model_validate(small).checks.target_leakage is None


def test_a_file_is_not_changed_by_reading_it(small):
    small["checks"] = {"no_leak": None}
    ModelSpec.model_validate(small)
    assert small["checks"] == {"no_leak": None}
