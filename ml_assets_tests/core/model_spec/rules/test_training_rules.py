"""Settings of training that do not fit the task of a model are refused, with the field and the reason."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused, change

SEARCH = {"trials": 2, "folds": 1}


@pytest.fixture
def regression(small) -> dict:
    """Return the attributes of a regression, to be changed at will."""
    small["columns"]["label"] = {"type": "number"}
    return {**small, "task": "regression", "gates": {"rmse": {"maximum": 10}}, "evaluation": {"holdout": "2d"}}


def test_a_search_is_by_a_metric_of_the_task(regression):
    with_search = ModelSpec.model_validate(change(regression, "training.search", dict(SEARCH)))
    assert with_search.training.search.metric == "rmse"
    assert_refused(regression, "training.search.metric", "log_loss", "log_loss is not measured in training; choose one")


def test_a_search_of_a_binary_target_is_not_by_a_metric_of_another_task(small):
    assert_refused(small, "training.search", {**SEARCH, "metric": "rmse"}, "rmse is not measured in training")


def test_a_search_of_the_start_of_boosting_needs_one_to_begin_with(small):
    space = {"base_score": {"low": 0.1, "high": 0.9}}
    change(small, "training.search", {**SEARCH, "space": space})
    assert_refused(small, "training.rounds", 5, "search begins at training.parameters.base_score, which is not set")
    change(small, "training.parameters", {"base_score": 0.2})
    assert ModelSpec.model_validate(small).training.search


def test_the_start_of_boosting_is_in_the_range_of_predictions(regression):
    regression["columns"]["label"]["minimum"] = 0
    change(regression, "training.parameters", {"base_score": -3})
    assert ModelSpec.model_validate(regression).training.parameters.base_score == -3
    assert_refused(regression, "training.objective", "poisson", "base_score: -3 is not above 0, as the prediction of")
