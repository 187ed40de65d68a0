"""The columns of predictions follow the task."""

import pytest

from ml_assets.core.model_spec.types.task import Outputs


def test_a_binary_model_has_a_score_and_a_decision():
    assert Outputs().columns == {"score": "number", "decision": "boolean"}
    assert (Outputs().values, Outputs().main, Outputs().central) == (("score",), "score", 0)


@pytest.mark.parametrize(
    ("quantiles", "names", "central"),
    [
        ((), ["prediction"], 0),
        ((0.05, 0.5, 0.95), ["prediction", "prediction_q05", "prediction_q50", "prediction_q95"], 1),
        ((0.005, 0.29, 0.975), ["prediction", "prediction_q00_5", "prediction_q29", "prediction_q97_5"], 1),
    ],
)
def test_a_regression_has_a_prediction_and_its_quantiles(quantiles, names, central):
    outputs = Outputs("regression", quantiles=quantiles)
    assert outputs.columns == dict.fromkeys(names, "number")
    assert outputs.central == central


def test_a_multiclass_model_has_a_class_and_the_probability_of_each():
    outputs = Outputs("multiclass", ("low", "very high"))
    assert outputs.columns == {
        "predicted_class": "string",
        "probability_low": "number",
        "probability_very_high": "number",
    }
    assert Outputs("multiclass", (-1, 1)).columns == {
        "predicted_class": "integer",
        "probability__1": "number",
        "probability_1": "number",
    }
