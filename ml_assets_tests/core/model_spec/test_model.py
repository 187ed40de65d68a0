"""A specification refuses what is unknown or contradictory, naming the field and the reason."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused, change


def test_a_valid_specification_is_accepted_and_frozen(small):
    spec = ModelSpec.model_validate(small)
    assert spec.feature_names() == ["amount", "count_by_card_1d", "amount_mean_by_card_1d"]
    with pytest.raises(ValidationError):
        spec.name = "other"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("colour", "red", "Extra inputs are not permitted"),
        ("name", "Not A Name", "pattern"),
        ("name", "gpu", "gpu is the name of the pool that all models share"),
        ("owners", ["team:fraud", "somebody"], "'somebody' is neither an e-mail address nor a team"),
        ("owners", ["team:"], "neither an e-mail address nor a team"),
    ],
)
def test_a_specification_that_contradicts_itself_is_refused_with_the_reason(small, path, value, reason):
    assert_refused(small, path, value, reason)


def test_settings_that_need_an_entity_are_refused_without_one(small):
    del small["entity"]
    ModelSpec.model_validate(small)
    with pytest.raises(ValidationError, match="entity is missing"):
        ModelSpec.model_validate(change(small, "evaluation.exclude_known_positives", True))


def test_owners_are_addresses_or_teams(small):
    owners = ["team:fraud", "first.last+tag@example.co.uk"]
    assert ModelSpec.model_validate(change(small, "owners", owners)).owners == owners


def test_features_reach_a_day_further_where_clocks_change(small):
    assert ModelSpec.model_validate(small).reach_in_days() == 1
    small["source"]["time_zone"] = "Europe/Brussels"
    assert ModelSpec.model_validate(small).reach_in_days() == 2
