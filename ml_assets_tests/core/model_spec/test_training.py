"""Training settings that contradict each other or name unknown features are refused."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("training.parameters.booster", "dart", "Extra inputs are not permitted"),
        ("training.validation", "4d", "shorter than window"),
        ("training.threshold", {"rule": "min_precision"}, "needs a value"),
        ("training.threshold", {"rule": "max_f1", "value": 0.3}, "takes no value"),
        ("training.preprocessing", {"scale": {"nothing": "standard"}}, "nothing is not one of"),
        ("training.every", "0d", "longer than 0; or write a cron expression"),
        ("training.every", "36h", "whole number of days"),
        ("training.every", "weekly", "not a duration"),
        ("training.when", ["drift"], "when: a model is already due every day"),
        ("training", {"window": "4d", "every": "7d", "when": ["drift", "drift"]}, "named more than once: drift"),
        ("training.preprocessing", {"encode": {"amount": "onehot"}}, "amount is not one of"),
    ],
)
def test_training_settings_that_make_no_sense_are_refused_with_the_reason(small, path, value, reason):
    assert_refused(small, path, value, reason)


@pytest.mark.parametrize(
    ("training", "on_gpu", "counts"),
    [
        ({}, False, False),
        ({"parameters": {"subsample": 0.5}}, False, True),
        ({}, True, True),
        ({"engine": "dask"}, False, True),
    ],
)
def test_the_rounds_between_checkpoints_count_where_xgboost_begins_anew_at_each(small, training, on_gpu, counts):
    spec = ModelSpec.model_validate({**small, "training": {**small["training"], **training}})
    settings = spec.training.settings_of_model(on_gpu)
    assert ("checkpoint_rounds" in settings) == counts
    assert not {"dask", "search", "every", "when"} & set(settings)


@pytest.mark.parametrize(("every", "gap"), [("1d", 0), ("7d", 6), ("0 2 * * 1", 30), ("@monthly", 30)])
def test_an_interval_is_written_as_it_is_read_and_counts_for_retention(small, every, gap):
    training = ModelSpec.model_validate({**small, "training": {**small["training"], "every": every}}).training
    assert training.model_dump(mode="json")["every"] == every
    assert training.longest_gap.days == gap


def test_drift_as_a_trigger_needs_its_check(small):
    training = {**small["training"], "every": "7d", "when": ["drift"]}
    assert ModelSpec.model_validate({**small, "training": training, "checks": {}}).training.when == ["drift"]
    assert_refused(
        {**small, "training": training}, "checks", {"feature_drift": None}, "drift needs checks.feature_drift"
    )
