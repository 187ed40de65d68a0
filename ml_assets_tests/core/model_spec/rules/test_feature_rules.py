"""Features must fit the columns of their model and must not leak its target."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused, change

OF_TARGET = {"kind": "window", "key": "card", "value": "label", "aggregates": ["mean"], "windows": ["1d"]}


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("features.0.columns", ["label"], "would leak the label"),
        ("features.0.columns", ["card"], "is a string"),
        ("features.1.key", "label", "leak the label"),
        ("features.1", {**OF_TARGET, "delay": "1d"}, "need delay of at least the label_delay 2d"),
        ("features.1", OF_TARGET, "contains the row's own label"),
        ("features.1.value", "card", "cannot be aggregated"),
        ("features.0", {"kind": "column", "columns": ["amount", "amount"]}, "defined more than once"),
        ("columns.amount_Mean_by_card_1d", {"type": "number"}, "which is the name of a column"),
        (
            "features.0",
            {"kind": "custom", "function": "math:sin", "outputs": ["x", "X"]},
            "defined more than once: x",
        ),
        ("features.0", {"kind": "custom", "function": "math:sin", "outputs": ["event_day"]}, "it computes event_day"),
    ],
)
def test_features_that_do_not_fit_the_columns_are_refused_with_the_reason(small, path, value, reason):
    assert_refused(small, path, value, reason)


def test_an_aggregate_of_the_target_may_use_labels_that_are_known(small):
    known = {
        "kind": "window",
        "key": "card",
        "value": "label",
        "aggregates": ["mean"],
        "windows": ["1d"],
        "delay": "2d",
    }
    spec = ModelSpec.model_validate(change(small, "features.1", known))
    assert spec.feature_names()[-1] == "label_mean_by_card_1d_delay_2d"
    assert spec.longest_reach() == timedelta(days=3)


def test_the_label_of_a_row_may_not_be_compared_with_its_window(small):
    own = {"kind": "window", "key": "card", "value": "label", "aggregates": ["ratio"], "windows": ["1d"], "delay": "2d"}
    with pytest.raises(ValidationError, match="row's own value"):
        ModelSpec.model_validate(change(small, "features.1", own))


def test_an_aggregate_of_the_target_needs_a_delay_even_where_labels_are_known_at_once(small):
    small["label_delay"] = "0d"
    with pytest.raises(ValidationError, match="contains the row's own label"):
        ModelSpec.model_validate(change(small, "features.1", OF_TARGET))
    ModelSpec.model_validate(change(small, "features.1", {**OF_TARGET, "delay": "1h"}))


LATE = {"type": "number", "known_after": "2d"}
OF_LATE = {"kind": "window", "key": "card", "value": "delay", "aggregates": ["mean"], "windows": ["1d"]}


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("features.0.columns", ["delay"], "delay is known 2d after its row, so it cannot be a feature of its own row"),
        ("features.1", {**OF_LATE, "delay": "1d"}, "set delay to at least 2d, not 1d"),
        ("features.1", OF_LATE, "set delay to at least 2d, not 0d"),
        ("features.1", {**OF_LATE, "delay": "2d", "aggregates": ["ratio"]}, "use the row's own value"),
        ("features.1.key", "delay", "so it cannot be a key"),
        ("entity", "delay", "a row is identified, sliced or weighted by it"),
        ("evaluation.slices", ["delay"], "a row is identified, sliced or weighted by it"),
        ("columns.delay.known_after", "36h", "whole number of days"),
    ],
)
def test_a_column_that_is_known_later_is_allowed_in_delayed_windows_only(small, path, value, reason):
    assert_refused(change(small, "columns.delay", dict(LATE)), path, value, reason)


def test_a_delayed_window_of_a_column_that_is_known_later_is_accepted(small):
    attributes = change(small, "columns.delay", dict(LATE))
    spec = ModelSpec.model_validate(change(attributes, "features.1", {**OF_LATE, "delay": "2d"}))
    assert spec.late_columns() == {"delay": timedelta(days=2), "label": timedelta(days=2)}
