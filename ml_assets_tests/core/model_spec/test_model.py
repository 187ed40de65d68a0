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
        ("columns.Earlier_Rows", {"type": "number"}, "the pipeline reserves names"),
        ("columns.score", {"type": "number"}, "the pipeline reserves names"),
        (
            "columns.event_day",
            {"type": "number"},
            "side, reasons, earlier_rows; rename",
        ),
        ("columns.Day", {"type": "number"}, "the pipeline reserves names"),
        ("columns.Amount", {"type": "number"}, "columns.Amount: it differs from amount in upper and lower case only"),
        ("columns.day", {"type": "number"}, "columns.day: the pipeline reserves names"),
        ("columns.Score", {"type": "number"}, "columns.Score: the pipeline reserves names"),
        ("columns._source_file", {"type": "string"}, "columns._source_file: the pipeline reserves names"),
        ("columns.__index_level_0__", {"type": "integer"}, "the pipeline reserves names that begin with _"),
        ("columns. amount", {"type": "number"}, "' amount' has white space around it"),
        (
            "columns.a\u200bb",
            {"type": "number"},
            "u200bb' has white space around it, or contains an invisible character",
        ),
        ("columns. ", {"type": "number"}, "is not a valid name"),
        ("columns.AMOUNT_mean_by_card_1d", {"type": "number"}, "which is the name of a column"),
        ("columns.again", {"type": "number", "source": "amount"}, "source of more than one column"),
        ("columns.id.nullable", True, "nullable"),
        ("row_key", ["id", "id"], "row_key: id is named more than once"),
        ("evaluation.slices", ["card", "card"], "evaluation.slices: card is named more than once"),
        ("row_key", ["nothing"], "there is no column nothing"),
        ("event_time", "amount", "must be a timestamp"),
        ("target", "amount", "must be boolean, or integer with allowed"),
        ("entity", "nobody", "there is no column nobody"),
        ("owners", ["team:fraud", "somebody"], "'somebody' is neither an e-mail address nor a team"),
        ("owners", ["team:"], "neither an e-mail address nor a team"),
        ("evaluation.slices", ["nothing"], "there is no column nothing"),
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
