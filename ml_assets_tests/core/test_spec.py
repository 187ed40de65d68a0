"""The specification refuses what is unknown or contradictory, naming the field and the reason."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.durations import format_duration, parse_duration


def change(attributes: dict, path: str, value: object) -> dict:
    """Set a dotted path; numbers are positions in a list."""
    *parents, last = path.split(".")
    part = attributes
    for parent in parents:
        part = part[int(parent)] if parent.isdigit() else part.setdefault(parent, {})
    part[int(last) if last.isdigit() else last] = value
    return attributes


def test_a_valid_specification_is_accepted_and_frozen(small):
    spec = ModelSpec.model_validate(small)
    assert spec.feature_names() == ["amount", "count_by_card_1d", "amount_mean_by_card_1d"]
    with pytest.raises(ValidationError):
        spec.name = "other"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("colour", "red", "Extra inputs are not permitted"),
        ("training.parameters.booster", "dart", "Extra inputs are not permitted"),
        ("name", "Not A Name", "pattern"),
        ("source.files", "files/*.csv", "must contain {day}"),
        ("source.files", "../{day}.csv", "stay inside"),
        ("source.files", "{day:%Y/%m}/x.csv", "%Y, %m and %d"),
        ("source.time_zone", "Mars/Olympus", "not an IANA time zone"),
        ("source.end", "2024-12-31", "before start"),
        ("columns.amount.maximum", -1, "above maximum"),
        ("columns.card.minimum", 1, "not for string"),
        ("columns.amount.pattern", "x", "pattern is for string"),
        ("columns.card.pattern", "(", "not a regular expression"),
        ("columns.score", {"type": "number"}, "taken by the pipeline"),
        ("columns.again", {"type": "number", "source": "amount"}, "source of more than one column"),
        ("columns.id.nullable", True, "nullable"),
        ("row_key", ["nothing"], "there is no column nothing"),
        ("event_time", "amount", "must be a timestamp"),
        ("target", "amount", "must be boolean, or integer with allowed"),
        ("entity", "nobody", "there is no column nobody"),
        ("label_delay", "36h", "whole number of days"),
        ("label_delay", "a week", "not a duration"),
        ("quality.max_bad_share", 2, "less than or equal to 1"),
        ("quality", {"min_rows": 5, "max_rows": 2}, "below min_rows"),
        ("features.0.columns", ["label"], "would leak the label"),
        ("features.0.columns", ["card"], "is a string"),
        ("features.1.key", "label", "leak the label"),
        ("features.1.value", "label", "need delay of at least the label_delay 2d"),
        ("features.1.value", "card", "cannot be aggregated"),
        ("features.1.windows", [], "give windows"),
        ("features.1.last_rows", [3], "belong together"),
        ("features.1.value", None, "value is missing"),
        ("features.0.kind", "magic", "magic"),
        ("features.0", {"kind": "column", "columns": ["amount", "amount"]}, "made more than once"),
        ("training.validation", "4d", "shorter than window"),
        ("training.threshold", {"rule": "min_precision"}, "needs a value"),
        ("training.threshold", {"rule": "max_f1", "value": 0.3}, "takes no value"),
        ("training.preprocessing", {"scale": {"nothing": "standard"}}, "nothing is not one of"),
        ("training.preprocessing", {"encode": {"amount": "onehot"}}, "amount is not one of"),
        ("evaluation.slices", ["nothing"], "there is no column nothing"),
        ("gates", {}, "at least 1 item"),
        ("gates", {"accuracy": {"minimum": 0.9}}, "accuracy"),
        ("gates", {"roc_auc": {}}, "give minimum, maximum or both"),
        ("gates", {"roc_auc": {"minimum": 0.9, "maximum": 0.1}}, "nothing passes"),
        ("compute.memory", "lots", "pattern"),
        ("backfill.days_per_run", 0, "greater than or equal to 1"),
    ],
)
def test_a_wrong_specification_is_refused_with_the_reason(small, path, value, reason):
    with pytest.raises(ValidationError, match=reason.replace("(", r"\(").replace("{", r"\{")):
        ModelSpec.model_validate(change(small, path, value))


def test_what_needs_an_entity_says_so(small):
    del small["entity"]
    ModelSpec.model_validate(small)
    with pytest.raises(ValidationError, match="entity is missing"):
        ModelSpec.model_validate(change(small, "evaluation.exclude_known_positives", True))


def test_an_aggregate_of_the_target_may_use_what_is_known(small):
    known = {"kind": "window", "key": "card", "value": "label", "aggregates": ["mean"], "windows": ["1d"], "delay": "2d"}
    spec = ModelSpec.model_validate(change(small, "features.1", known))
    assert spec.feature_names()[-1] == "label_mean_by_card_1d_delay_2d"
    assert spec.longest_reach() == timedelta(days=3)


def test_the_row_s_own_label_may_not_be_compared_with_its_window(small):
    own = {"kind": "window", "key": "card", "value": "label", "aggregates": ["ratio"], "windows": ["1d"], "delay": "2d"}
    with pytest.raises(ValidationError, match="row's own value"):
        ModelSpec.model_validate(change(small, "features.1", own))


@pytest.mark.parametrize("text", ["7d", "36h", "90m"])
def test_durations_are_written_as_they_are_read(text):
    assert format_duration(parse_duration(text)) == text
