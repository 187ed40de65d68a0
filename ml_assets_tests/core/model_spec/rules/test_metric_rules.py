"""Metrics and settings of another task are refused by field and reason, and comparisons have a metric of the task."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused, change, with_task

QUANTILES = {"objective": "quantile", "quantiles": [0.1, 0.9]}


@pytest.fixture
def regression(small):
    columns = {**small["columns"], "label": {"type": "number", "nullable": True}}
    return with_task(small, "regression", columns=columns)


@pytest.fixture
def multiclass(small):
    columns = {**small["columns"], "label": {"type": "string"}}
    return with_task(small, "multiclass", columns=columns, classes=["bus", "light rail", "car"])


def test_comparisons_have_a_metric_of_the_task(regression, multiclass, small):
    for attributes in (regression, multiclass, small):
        attributes.pop("champion", None)
    canary = {"canary": {"steps": [0, 100]}}
    spec = ModelSpec.model_validate({**regression, "deployment": canary})
    assert spec.champion is not None
    assert spec.deployment.canary is not None
    assert (spec.champion.metric, spec.deployment.canary.metric) == ("rmse", "rmse")
    quantiles = ModelSpec.model_validate({**regression, "training": regression["training"] | QUANTILES})
    assert quantiles.champion is not None
    assert quantiles.champion.metric == "pinball_loss"
    classes = ModelSpec.model_validate({**multiclass, "champion": {"margin": 0.1}})
    assert classes.champion is not None
    assert (classes.champion.metric, classes.champion.margin) == ("log_loss", 0.1)
    assert ModelSpec.model_validate({**multiclass, "champion": None}).champion is None
    binary = ModelSpec.model_validate(small)
    assert binary.champion is not None
    assert binary.champion.metric == "average_precision"


@pytest.mark.parametrize(
    ("metric", "of_canary", "of_quality"),
    [("roc_auc", "roc_auc", "roc_auc"), ("log_loss", "log_loss", "average_precision")],
)
def test_canary_and_quality_are_compared_by_the_metric_of_the_champion(small, metric, of_canary, of_quality):
    deployment = {"canary": {"steps": [0, 100]}}
    spec = ModelSpec.model_validate({**small, "champion": {"metric": metric}, "deployment": deployment})
    assert spec.deployment.canary is not None
    assert spec.checks.prediction_quality is not None
    assert (spec.deployment.canary.metric, spec.checks.prediction_quality.metric) == (of_canary, of_quality)
    stated = {**deployment, "canary": {"steps": [0, 100], "metric": "brier_score"}}
    other = ModelSpec.model_validate({**small, "champion": {"metric": metric}, "deployment": stated})
    assert other.deployment.canary is not None
    assert other.deployment.canary.metric == "brier_score"


def test_the_metric_of_the_champion_holds_for_other_tasks(regression):
    spec = ModelSpec.model_validate({**regression, "champion": {"metric": "mae"}})
    assert spec.checks.prediction_quality is not None
    assert spec.checks.prediction_quality.metric == "mae"


def test_metrics_of_one_class_are_gates(multiclass):
    gates = {"recall_light_rail": {"minimum": 0.5}, "precision_bus": {"minimum": 0.1}}
    assert ModelSpec.model_validate({**multiclass, "gates": gates}).gates.keys() == gates.keys()


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("gates", {"roc_auc": {"minimum": 0.5}}, "gates.roc_auc: roc_auc is not a metric of task regression, but of"),
        ("gates", {"acuracy": {"minimum": 0.5}}, "acuracy is not a metric; did you mean accuracy?"),
        (
            "gates",
            {"speed": {"minimum": 0.5}},
            "speed is not a metric",
        ),
        ("gates", {"pinball_loss": {"maximum": 1}}, "gates.pinball_loss: .* needs training.objective quantile"),
        ("gates", {"rmse": {"minimum": -1}}, "gates.rmse: minimum -1 is not within 0 to inf"),
        ("gates", {"r2": {"minimum": 1.1}}, "gates.r2: minimum 1.1 is not within -inf to 1"),
        ("champion", {"metric": "accuracy"}, "champion.metric: accuracy is not a metric of task regression"),
        ("champion", {"metric": "mean_bias"}, "mean_bias cannot be compared between models; choose one of rmse"),
        ("deployment", {"canary": {"metric": "f1"}}, "deployment.canary.metric: f1 is not"),
        ("checks", {"prediction_quality": {"metric": "f1"}}, "checks.prediction_quality.metric: f1 is not a metric of"),
        ("evaluation.top_k", 3, "evaluation.top_k: only a model of task binary has it, and the task is regression"),
        ("evaluation.slice_min_positives", 3, "evaluation.slice_min_positives: only a model of task binary"),
        ("checks", {"label_rate": {"minimum": 0.1}}, "checks.label_rate.minimum: only a model of task binary or multi"),
        ("evaluation.top_classes", 3, "evaluation.top_classes: only a model of task multiclass"),
        (
            "checks",
            {"prediction_quality": {"minimum_positives": 9}},
            "checks.prediction_quality.minimum_positives: only",
        ),
        ("deployment", {"canary": {"minimum_positives": 3}}, "deployment.canary.minimum_positives: only a model of"),
        (
            "deployment",
            {"canary": {"maximum_decision_ratio": 2}},
            "maximum_decision_ratio: only a model of task binary",
        ),
    ],
)
def test_a_regression_has_no_metrics_and_settings_of_other_tasks(regression, path, value, reason):
    assert_refused(regression, path, value, reason)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("gates", {"recall": {"minimum": 0.5}}, "gates.recall: recall is not a metric of task multiclass, but of task"),
        ("gates", {"recall_tram": {"minimum": 0.5}}, "recall_tram is not a metric of task multiclass; choose one of"),
        ("gates", {"rmse": {"maximum": 0.5}}, "but of task regression"),
        (
            "evaluation.top_classes",
            3,
            "evaluation.top_classes is 3, but there are only 3 classes, so every prediction would count",
        ),
    ],
)
def test_several_classes_have_no_metrics_of_other_tasks(multiclass, path, value, reason):
    assert_refused(multiclass, path, value, reason)


@pytest.mark.parametrize(
    ("path", "value"),
    [("evaluation.slice_min_rows", 3), ("deployment", {"canary": {"maximum_prediction_distance": 0.5}})],
)
def test_a_binary_model_has_no_settings_of_other_tasks(small, path, value):
    assert_refused(small, path, value, "only a model of task regression or multiclass has it, and the task is binary")


def test_one_quantile_has_no_interval(regression):
    regression["training"] = regression["training"] | {"objective": "quantile", "quantiles": [0.9]}
    change(regression, "gates", {"pinball_loss": {"maximum": 3}})
    assert ModelSpec.model_validate(regression)
    assert_refused(regression, "gates", {"interval_coverage": {"minimum": 0.8}}, "two quantiles or more")


def test_the_quality_of_predictions_is_compared_by_the_metric_of_the_task(small, regression, multiclass):
    metrics = [ModelSpec.model_validate(spec).checks.prediction_quality for spec in (small, regression, multiclass)]
    assert [check.metric for check in metrics if check] == ["average_precision", "rmse", "log_loss"]
    off = ModelSpec.model_validate({**regression, "checks": {"prediction_quality": None}})
    assert off.checks.prediction_quality is None
    assert_refused(small, "checks", {"prediction_quality": {"metric": "log_loss"}}, "log_loss is not compared here")
