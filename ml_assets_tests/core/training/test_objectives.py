"""Each task trains with its objective, stops by its loss and respects weights and constraints."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from ml_assets.core.model.scorer import Scorer
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.objectives import booster_parameters, stated_parameters
from ml_assets.core.training.time_split import Split
from ml_assets.core.training.train import TrainedModel, train
from ml_assets_tests.support.changed_spec import with_task

SPLIT = Split([date(2025, 1, 1), date(2025, 1, 2)], [date(2025, 1, 3)], [])
QUANTILES = {"objective": "quantile", "quantiles": [0.1, 0.5, 0.9]}
FEATURES = [{"kind": "column", "columns": ["a", "b"]}]


def day_of(day: date) -> pd.DataFrame:
    random = np.random.default_rng(day.day)
    a, b = random.uniform(0, 1, (2, 200))
    amount = 3 + 2 * a + random.exponential(0.5, 200)
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "amount": amount,
            "kind": np.where(a > 0.6, "high", np.where(b > 0.5, "middle", "low")).astype(object),
            "weight": np.where(b > 0.5, 0.0, 2.0),
        }
    )


@pytest.fixture
def spec_of(small):
    """Return a function that builds a specification of a task with settings of training."""

    def build(task: str, target: str, training: dict | None = None, **changes: object) -> ModelSpec:
        columns = {
            **small["columns"],
            "amount": {"type": "number", "minimum": 1},
            "kind": {"type": "string", "allowed": ["low", "middle", "high"]},
            "weight": {"type": "number", "minimum": 0},
            "a": {"type": "number"},
            "b": {"type": "number"},
        }
        settings = {**small["training"], "rounds": 40, "refit": False, **(training or {})}
        parts = {"columns": columns, "features": FEATURES, "training": settings, "task": task, "target": target}
        return ModelSpec.model_validate({**with_task(small, task), **parts, **changes})

    return build


def trained(spec: ModelSpec) -> tuple[TrainedModel, Scorer]:
    model = train(spec, SPLIT, day_of, lambda line: None)
    return model, Scorer.from_bytes(model.model, model.preprocessing)


@pytest.mark.parametrize(
    ("objective", "metric"),
    [
        ("squared_error", "rmse"),
        ("absolute_error", "mae"),
        ("pseudo_huber", "mphe"),
        ("poisson", "poisson-nloglik"),
        ("tweedie", "tweedie-nloglik@1.5"),
        ("gamma", "gamma-nloglik"),
    ],
)
def test_every_objective_of_a_regression_trains_and_stops_by_its_own_loss(spec_of, objective, metric):
    model, scorer = trained(spec_of("regression", "amount", {"objective": objective}))
    assert list(model.learning_curve) == [metric]
    assert model.rounds == int(np.argmin(model.learning_curve[metric])) + 1
    assert (model.threshold, model.positives) == (None, None)
    frame = day_of(SPLIT.validation[0])
    columns = scorer.predict(frame)
    assert list(columns) == ["prediction"]
    assert np.corrcoef(columns["prediction"], frame["amount"])[0, 1] > 0.5
    logarithmic = objective in ("poisson", "tweedie", "gamma")
    margin = np.log(columns["prediction"]) if logarithmic else columns["prediction"]
    np.testing.assert_allclose(scorer.contributions(frame).sum(axis=1), margin, rtol=1e-4)


def test_quantiles_are_predicted_at_once_and_never_cross(spec_of):
    _, scorer = trained(spec_of("regression", "amount", QUANTILES))
    frame = day_of(SPLIT.validation[0])
    columns = scorer.predict(frame)
    assert list(columns) == ["prediction", "prediction_q10", "prediction_q50", "prediction_q90"]
    assert (columns["prediction"] == columns["prediction_q50"]).all()
    assert (columns["prediction_q10"] <= columns["prediction_q50"]).all()
    assert (columns["prediction_q50"] <= columns["prediction_q90"]).all()
    assert (frame["amount"] <= columns["prediction_q90"]).mean() == pytest.approx(0.9, abs=0.08)
    assert scorer.contributions_by_prediction(frame).shape == (200, 3, 3)


def test_classes_have_probabilities_and_explanations_of_each(spec_of):
    model, scorer = trained(spec_of("multiclass", "kind"))
    frame = day_of(SPLIT.validation[0])
    columns = scorer.predict(frame)
    assert list(columns) == ["predicted_class", "probability_low", "probability_middle", "probability_high"]
    assert (columns["predicted_class"] == frame["kind"]).mean() > 0.9
    shares = np.column_stack(list(columns.values())[1:]).astype(float)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-15)
    margins = scorer.contributions_by_prediction(frame).sum(axis=2)
    softmax = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, shares, atol=1e-5)
    assert list(model.learning_curve) == ["mlogloss", "merror"]
    assert json.loads(model.preprocessing)["classes"] == ["low", "middle", "high"]


def test_rows_without_weight_change_nothing(spec_of, monkeypatch):
    """A model of weights is the one that XGBoost trains on weighted rows, with batches in memory or one by one."""
    spec = spec_of("regression", "amount", {"rounds": 5}, sample_weight="weight")
    model, scorer = trained(spec)
    frame = pd.concat([day_of(day) for day in SPLIT.fit])
    rows = xgb.QuantileDMatrix(frame[["a", "b"]], frame["amount"], weight=frame["weight"], max_bin=256)
    parameters = booster_parameters(spec, json.loads(model.preprocessing))
    plain = xgb.train(parameters, rows, model.rounds)
    np.testing.assert_allclose(
        scorer.predict(frame)["prediction"], plain.inplace_predict(frame[["a", "b"]].to_numpy()), rtol=1e-5
    )
    unweighted, _ = trained(spec_of("regression", "amount", {"rounds": 5}))
    assert unweighted.digest != model.digest
    batched, _ = trained(spec_of("regression", "amount", {"rounds": 5, "batch_rows": 100}, sample_weight="weight"))
    assert batched.rounds == model.rounds


def test_constraints_are_those_of_the_columns_of_the_matrix(spec_of):
    training = {"monotone": {"b": "decreasing"}, "interactions": [["a"], ["b"]]}
    spec = spec_of("regression", "amount", training)
    features = [{"name": "a", "kind": "onehot", "categories": ["x", "y"]}, {"name": "b", "kind": "number"}]
    parameters = booster_parameters(spec, {"features": features})
    assert parameters["monotone_constraints"] == (0, 0, -1)
    assert parameters["interaction_constraints"] == "[[0, 1], [2]]"
    _, scorer = trained(spec_of("regression", "amount", {"monotone": {"a": "decreasing"}}))
    grid = pd.DataFrame({"a": np.linspace(0, 1, 50), "b": 0.5})
    assert (np.diff(scorer.predict(grid)["prediction"]) <= 0).all()


def test_features_of_different_groups_are_in_no_branch_together(spec_of):
    def branches(interactions: list[list[str]]) -> set[frozenset[str]]:
        model, _ = trained(spec_of("regression", "amount", {"interactions": interactions, "rounds": 10}))
        trees = xgb.Booster(model_file=bytearray(model.model)).trees_to_dataframe()
        above = {child: row for row in trees.itertuples() for child in (row.Yes, row.No)}

        def features_to(row) -> frozenset[str]:
            parent = above.get(row.ID)
            return frozenset() if parent is None else features_to(parent) | {str(parent.Feature)}

        return {features_to(row) for row in trees.itertuples() if row.Feature == "Leaf"}

    assert frozenset({"f0", "f1"}) in branches([["a", "b"]])
    assert max(map(len, branches([["a"], ["b"]]))) == 1
    # A feature without a group.
    assert max(map(len, branches([["a"]]))) == 1


def test_bins_follow_the_task_unless_they_are_stated(spec_of, make_spec):
    assert make_spec().training.parameters.max_bin == 2048
    assert spec_of("regression", "amount").training.parameters.max_bin == 256
    stated = spec_of("regression", "amount", {"parameters": {"max_bin": 64}})
    assert stated.training.parameters.max_bin == 64


def test_a_binary_model_begins_at_one_half_unless_it_says_so(make_spec):
    assert stated_parameters(make_spec())["base_score"] == 0.5
    assert "tweedie_variance_power" not in stated_parameters(make_spec())


def test_parameters_of_positives_are_not_those_of_a_regression(spec_of):
    assert {"base_score", "scale_pos_weight"}.isdisjoint(stated_parameters(spec_of("regression", "amount")))
