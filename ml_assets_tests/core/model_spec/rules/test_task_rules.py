"""What does not fit the task of a model is refused, with the field and the reason."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused, change, with_task

QUANTILES = {"objective": "quantile", "quantiles": [0.05, 0.5, 0.95]}


@pytest.fixture
def regression(small) -> dict:
    """Return the attributes of a regression, to be changed at will."""
    small["columns"]["label"] = {"type": "number"}
    small["columns"]["weight"] = {"type": "number", "minimum": 0}
    return with_task(small, "regression")


@pytest.fixture
def multiclass(small) -> dict:
    """Return the attributes of a model with three classes, to be changed at will."""
    small["columns"]["label"] = {"type": "string"}
    return with_task(small, "multiclass", classes=["low", "high", "none"])


def test_a_binary_target_may_have_any_two_labels(small):
    assert ModelSpec.model_validate(small).outputs.task == "binary"
    small["columns"]["label"] = {"type": "string", "allowed": ["no", "yes"]}
    assert ModelSpec.model_validate(change(small, "positive", "yes")).positive == "yes"
    assert ModelSpec.model_validate(change(small, "columns.label", {"type": "boolean"}) | {"positive": False})


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("columns.label", {"type": "number"}, "target: label must be boolean, or integer with allowed"),
        ("positive", "yes", "positive: 'yes' is not a value of label, which has type integer"),
        ("positive", 2, "positive: label needs two allowed values, of which 2 is one, not 0, 1"),
        ("classes", [0, 1], "classes: only a multiclass target has classes, and the task is binary"),
        ("training.objective", "poisson", "training.objective: only a regression has it, and the task is binary"),
        ("training.parameters", {"base_score": 1}, "base_score: 1 is not between 0 and 1"),
        ("training.parameters", {"huber_slope": 1}, "huber_slope: it has no effect without training.objective"),
        ("sample_weight", "nothing", "sample_weight: there is no column nothing"),
        ("sample_weight", "label", "sample_weight: label cannot also be the target"),
        ("sample_weight", "id", "sample_weight: id may be negative; set columns.id.minimum to 0 or more"),
        ("training.monotone", {"card": "increasing"}, "training.monotone: card is not a feature"),
        ("training.interactions", [["amount", "card"]], r"interactions\[0\]: no such feature: card; the features"),
        ("training.interactions", [["amount", "amount"]], "named more than once: amount"),
    ],
)
def test_what_does_not_fit_a_binary_target_is_refused(small, path, value, reason):
    assert_refused(small, path, value, reason)


def test_quotes_are_proposed_for_a_label_that_yaml_reads_as_a_boolean(small):
    small["columns"]["label"] = {"type": "string", "allowed": ["no", "yes"]}
    assert_refused(small, "positive", True, "put text in quotes")


def test_weights_need_a_contract_without_missing_or_negative_values(regression):
    regression["sample_weight"] = "weight"
    assert "weight" in ModelSpec.model_validate(regression).identity_columns()
    assert_refused(regression, "columns.weight.nullable", True, "weight is nullable, but every row needs a weight")
    assert_refused(regression, "columns.weight", {"type": "string"}, "weight has type string, and a weight is")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (
            "columns.label",
            {"type": "string"},
            "label has type string, but a regression predicts an integer or a number",
        ),
        ("positive", 1, "positive: only a binary target has a positive class, and the task is regression"),
        ("training.objective", "gamma", "gamma needs a target above 0"),
        ("training.objective", "tweedie", "tweedie needs a target of 0 or more"),
        ("training.objective", "quantile", "the objective quantile needs at least one"),
        ("training.quantiles", [0.5], "only the objective quantile has them"),
        ("training.threshold", {"rule": "fixed", "value": 0.5}, "training.threshold: only a binary target has decis"),
        ("training.parameters", {"scale_pos_weight": 2}, "scale_pos_weight: only a binary target has positives"),
        ("evaluation.exclude_known_positives", True, "exclude_known_positives: only a binary target has positives"),
        ("columns.Prediction", {"type": "number"}, "columns: Prediction is the name of a column of the predictions"),
        ("columns.shadow_prediction", {"type": "number"}, "columns: shadow_prediction is the name of a column of the"),
    ],
)
def test_what_does_not_fit_a_regression_is_refused(regression, path, value, reason):
    assert_refused(regression, path, value, reason)


def test_quantiles_are_distinct_and_ascending(regression):
    assert ModelSpec.model_validate(
        change(regression, "training", regression["training"] | QUANTILES)
    ).outputs.quantiles
    assert_refused(regression, "training.quantiles", [0.5, 0.05], "state each once, in ascending order")
    assert_refused(regression, "training.quantiles", [0.5, 1], "less than 1")


def test_classes_are_also_the_allowed_values_and_the_other_way_round(multiclass):
    spec = ModelSpec.model_validate(multiclass)
    assert spec.columns["label"].allowed == ["low", "high", "none"]
    assert ModelSpec.model_validate(spec.model_dump()) == spec
    del multiclass["classes"]
    multiclass["columns"]["label"] = {"type": "integer", "allowed": [1, 2, 3]}
    assert ModelSpec.model_validate(multiclass).classes == [1, 2, 3]


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("columns.label", {"type": "number"}, "label has type number, but the classes of multiclass are integers or"),
        ("classes", ["low"], "a multiclass target needs two classes or more"),
        ("classes", ["low", ""], "classes: '' cannot be a class"),
        ("classes", ["low", 1], "classes: 1 is not a value of label, which has type string"),
        ("classes", ["low", "low"], "classes: named more than once: low"),
        ("classes", ["a b", "A-B"], "several would share the column probability_a_b"),
        ("columns.label.allowed", ["low", "high"], "are not the allowed values of label"),
        ("training.objective", "poisson", "training.objective: only a regression has it, and the task is multiclass"),
        ("training.parameters", {"base_score": 0.5}, "one value cannot be where the scores of several classes start"),
        ("training.monotone", {"amount": "increasing"}, "cannot rise together with a feature"),
    ],
)
def test_what_does_not_fit_classes_is_refused(multiclass, path, value, reason):
    assert_refused(multiclass, path, value, reason)


def test_windows_do_not_aggregate_classes(multiclass):
    multiclass["columns"]["label"] = {"type": "integer"}
    multiclass["classes"] = [1, 2, 3]
    window = {"kind": "window", "key": "card", "value": "label", "aggregates": ["mean"], "windows": ["1d"]}
    multiclass["features"] = [*multiclass["features"], {**window, "delay": "2d"}]
    with pytest.raises(ValidationError, match="whose classes are names and not amounts"):
        ModelSpec.model_validate(multiclass)
