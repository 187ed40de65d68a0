"""A regression and a model of several classes from landed CSV files to the answers of the service, in one run each: the
metrics are those of scikit-learn, and the answers those of the daily batch.
"""

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.schemas import to_pandas
from ml_assets.pipeline.asset_names import EVALUATION, LANDED_TO_FEATURES, MODEL_ASSETS, PREDICTIONS, RELEASE_ASSETS
from ml_assets_tests.conftest import CHECKED, SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of
from ml_assets_tests.service.conftest import serving

LAST = 13
COLUMNS = {
    **SMALL["columns"],
    "label": {"type": "integer", "allowed": [0, 1]},
    "weight": {"type": "number", "minimum": 0},
    "size": {"type": "string", "allowed": ["small", "middle", "very large"]},
}
FEATURES = [
    {"kind": "column", "columns": ["amount"]},
    {"kind": "window", "key": "card", "value": "amount", "aggregates": ["count", "mean"], "windows": ["1d"]},
]
SHARED = {
    "columns": {**COLUMNS, "delay": {"type": "number"}},
    "features": FEATURES,
    "checks": CHECKED["checks"],
    "champion": {},
    "evaluation": {"holdout": "2d", "bootstrap_samples": 20},
}
REGRESSION = {
    **SHARED,
    "task": "regression",
    "target": "delay",
    "sample_weight": "weight",
    "training": {
        **SMALL["training"],
        "rounds": 20,
        "objective": "quantile",
        "quantiles": [0.1, 0.5, 0.9],
        "monotone": {"amount": "increasing"},
    },
    "evaluation": {**SHARED["evaluation"], "slices": ["size"], "slice_min_rows": 5},
    "gates": {"rmse": {"maximum": 100}, "interval_coverage": {"minimum": 0.3, "slice_minimum": 0.1}},
}
MULTICLASS = {
    **SHARED,
    "task": "multiclass",
    "target": "size",
    "classes": ["small", "middle", "very large"],
    "training": {**SMALL["training"], "rounds": 20},
    "gates": {"accuracy": {"minimum": 0.5}, "recall_small": {"minimum": 0.1}},
}


def landed(number: int) -> pd.DataFrame:
    rows = rows_of(day(number))
    random = np.random.default_rng(number)
    noisy = rows["amount"] + random.normal(0, 8, len(rows))
    size = pd.cut(noisy, [-np.inf, 30, 60, np.inf], labels=["small", "middle", "very large"]).astype(str)
    return rows.assign(delay=noisy.round(3), weight=random.integers(0, 4, len(rows)), size=size)


def made(root: Path, attributes: dict) -> World:
    """Run a model from landed files to predictions."""
    world = World(root, ModelSpec.model_validate({**SMALL, **attributes}))
    for number in range(1, LAST + 1):
        world.land(day(number), landed(number), "rows.csv")
    world.run(list(LANDED_TO_FEATURES), day(1), day(LAST))
    world.run([*MODEL_ASSETS, *RELEASE_ASSETS], day(LAST))
    return world


def evaluated(world: World) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the scored rows of the holdout, and the metrics on all of them."""
    stage = world.stages().evaluation
    scored = to_pandas(stage.tables[EVALUATION].read([day(LAST)]))
    overall = stage.overall(day(LAST))
    return scored, dict(zip(overall["metric"], overall["value"], strict=True))


def predicted(world: World) -> pd.DataFrame:
    return to_pandas(world.stages().predictions.tables[PREDICTIONS].read([day(LAST)])).set_index("id")


def answers(world: World, target: str, reasons: int) -> pd.DataFrame:
    """Return the answers of the service to some rows of the last day, each with the rows before it."""
    rows = landed(LAST).sort_values(["event_time", "id"], ignore_index=True)
    bodies = [
        {
            # The weight of a row is not known when it is scored, nor needed.
            **{name: value for name, value in row.items() if name not in (target, world.spec.sample_weight)},
            "event_time": f"{row['event_time'].isoformat()}Z",
        }
        for row in rows.to_dict("records")
    ]
    chosen = range(0, len(rows), 10)
    with serving(world) as served:
        served.wait_for(ready=True, problem=None)
        replies = [
            served.score({**bodies[position], "earlier_rows": bodies[:position]}, reasons=reasons)
            for position in chosen
        ]
        text = served.client.get("/metrics").text
    assert {reply.status_code for reply in replies} == {200}, replies[0].text
    assert "ml_assets_scored_total" in text
    return pd.DataFrame([reply.json() for reply in replies], index=rows["id"][list(chosen)])


def packaged(world: World) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return predictions of the model in MLflow's format for rows of the last day, the rows, and its signature."""
    mlflow.set_tracking_uri(world.registry.tracking_uri)
    model = mlflow.pyfunc.load_model("models:/small/1")
    rows = to_pandas(world.stages().features.features.read([day(LAST)]))
    features = rows[world.spec.feature_names()]
    return model.predict(features).set_index(rows["id"]), rows, str(model.metadata.signature.outputs)


def test_a_regression_of_quantiles_with_weights_goes_from_files_to_answers(tmp_path):
    world = made(tmp_path, REGRESSION)
    scored, measured = evaluated(world)
    weighted = scored[scored["weight"] > 0]
    truth, weight = weighted["delay"], weighted["weight"]
    expected = {
        "rmse": reference.root_mean_squared_error(truth, weighted["prediction"], sample_weight=weight),
        "mae": reference.mean_absolute_error(truth, weighted["prediction"], sample_weight=weight),
        "r2": reference.r2_score(truth, weighted["prediction"], sample_weight=weight),
        "pinball_loss": np.mean(
            [
                reference.mean_pinball_loss(truth, weighted[name], alpha=level, sample_weight=weight)
                for name, level in [("prediction_q10", 0.1), ("prediction_q50", 0.5), ("prediction_q90", 0.9)]
            ]
        ),
    }
    assert {name: measured[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert measured["r2"] > 0.7
    batch = predicted(world)
    assert (batch["prediction"] == batch["prediction_q50"]).all()
    assert batch["side"].unique().tolist() == ["champion"]
    assert json.loads(batch["reasons"].dropna().iloc[0])[0]["feature"] == "amount"
    online = answers(world, "delay", reasons=0)
    names = list(world.spec.outputs.columns)
    pd.testing.assert_frame_equal(online[names], batch.loc[online.index, names], check_exact=True)
    in_mlflow, _, signature = packaged(world)
    pd.testing.assert_frame_equal(in_mlflow[names], batch.loc[in_mlflow.index, names], check_exact=True)
    assert "prediction_q90" in signature
    version = world.registry.client.get_model_version("small", "1")
    assert version.tags["task"] == "regression"
    assert json.loads((tmp_path / "production/small/metadata.json").read_text())["task"] == "regression"


def test_several_classes_go_from_files_to_answers(tmp_path):
    world = made(tmp_path, MULTICLASS)
    scored, measured = evaluated(world)
    probabilities = scored[list(world.spec.outputs.values)]
    positions = scored["size"].map({name: number for number, name in enumerate(world.spec.classes)})
    expected = {
        "accuracy": reference.accuracy_score(scored["size"], scored["predicted_class"]),
        "balanced_accuracy": reference.balanced_accuracy_score(scored["size"], scored["predicted_class"]),
        "f1_macro": reference.f1_score(scored["size"], scored["predicted_class"], average="macro"),
        "log_loss": -np.log(probabilities.to_numpy()[np.arange(len(scored)), positions]).mean(),
        "recall_small": reference.recall_score(scored["size"] == "small", scored["predicted_class"] == "small"),
    }
    assert {name: measured[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert measured["accuracy"] > 0.6
    batch = predicted(world)
    assert set(batch["predicted_class"]) <= set(world.spec.classes)
    online = answers(world, "size", reasons=1)
    names = list(world.spec.outputs.columns)
    pd.testing.assert_frame_equal(online[names], batch.loc[online.index, names], check_exact=True)
    assert online["reasons"].iloc[0][0]["feature"] == "amount"
    in_mlflow, _, signature = packaged(world)
    pd.testing.assert_frame_equal(in_mlflow[names], batch.loc[in_mlflow.index, names], check_exact=True)
    assert "probability_very_large" in signature
