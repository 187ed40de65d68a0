"""The examples bike_rentals and support_tickets, a regression and several classes in YAML only, from landed CSV files
to the answers of the service: metrics are those of scikit-learn, and batch, service and MLflow predict the same.
"""

import json
from datetime import timedelta
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from ml_assets.core.model_spec.defs_yaml.reader import read_spec
from ml_assets.core.tables.schemas import to_pandas
from ml_assets.core.training.time_split import first_model_day
from ml_assets.pipeline.asset_names import EVALUATION, LANDED_TO_FEATURES, MODEL_ASSETS, PREDICTIONS, RELEASE_ASSETS
from ml_assets_tests.pipeline.world import World, check
from ml_assets_tests.service.conftest import serving
from ml_assets_tests.test_examples import EXAMPLES, load_module


class Example:
    """An example run from its files to predictions, on the first day that has a model and the day after."""

    def __init__(self, root: Path, name: str) -> None:
        self.spec = read_spec(EXAMPLES / name / "defs.yaml")
        self.world = World(root, self.spec)
        first, start = first_model_day(self.spec), self.spec.source.start
        self.model_day, self.newest = first, first + timedelta(days=1)
        days = (self.newest - start).days + 1
        load_module(f"{name}/simulate.py").write(root / "landing", start, days, 7)
        self.world.run(list(LANDED_TO_FEATURES), start, self.newest)
        self.result = self.world.run([*MODEL_ASSETS, *RELEASE_ASSETS], first, self.newest)
        self.stages = self.world.stages()
        self.columns = list(self.spec.outputs.columns)

    def holdout(self) -> tuple[pd.DataFrame, dict[str, float]]:
        """Return the scored rows of the holdout, and the metrics on all of them."""
        overall = self.stages.evaluation.overall(self.model_day)
        rows = to_pandas(self.stages.evaluation.tables[EVALUATION].read([self.model_day]))
        return rows, dict(zip(overall["metric"], overall["value"], strict=True))

    def batch(self) -> pd.DataFrame:
        """Return the predictions of the newest day."""
        return to_pandas(self.stages.predictions.tables[PREDICTIONS].read([self.newest])).set_index(self.spec.row_key)

    def answers(self) -> pd.DataFrame:
        """Return the answers of the service to some rows of the newest day, each with the rows before it."""
        names = [name for name in self.spec.columns if name != self.spec.target]
        rows = to_pandas(self.stages.validation.validated.read([self.newest], names))
        times = {self.spec.event_time: rows[self.spec.event_time].map(pd.Timestamp.isoformat)}
        bodies = rows.assign(**times).to_dict("records")
        chosen = list(range(0, len(bodies), 60))
        with serving(self.world) as served:
            served.wait_for(ready=True, problem=None)
            replies = [
                served.score({**bodies[position], "earlier_rows": bodies[:position]}, reasons=1) for position in chosen
            ]
            text = served.client.get("/metrics").text
        assert {reply.status_code for reply in replies} == {200}, replies[0].text
        assert "ml_assets_scored_total" in text
        answers = pd.DataFrame([reply.json() for reply in replies], index=chosen)
        return answers.join(rows[self.spec.row_key]).set_index(self.spec.row_key)

    def packaged(self) -> tuple[pd.DataFrame, str]:
        """Return predictions of the model in MLflow's format for the newest day, and the outputs of its signature."""
        mlflow.set_tracking_uri(self.world.registry.tracking_uri)
        model = mlflow.pyfunc.load_model(f"models:/{self.spec.name}@champion")
        rows = to_pandas(self.stages.features.features.read([self.newest]))
        predictions = model.predict(rows[self.spec.feature_names()])
        keys = pd.MultiIndex.from_frame(rows[self.spec.row_key]) if len(self.spec.row_key) > 1 else rows["ticket_id"]
        return predictions.set_index(keys), str(model.metadata.signature.outputs)

    def assert_predicts_the_same_everywhere(self) -> None:
        """Assert that batch, service and MLflow agree to the last bit, and name the task where others read it."""
        batch = self.batch()
        assert json.loads(batch["reasons"].dropna().iloc[0])[0]["feature"] in self.spec.feature_names()
        online = self.answers()
        assert (online["side"] == batch.loc[online.index, "side"]).all()
        assert online["reasons"].iloc[0][0]["feature"] in self.spec.feature_names()
        packaged, signature = self.packaged()
        packaged = packaged[batch.loc[packaged.index, "side"] == "champion"]
        for others in (online, packaged):
            pd.testing.assert_frame_equal(others[self.columns], batch.loc[others.index, self.columns], check_exact=True)
        assert all(name in signature for name in self.columns)
        (version, *_) = self.world.registry.client.search_model_versions(f"name='{self.spec.name}'")
        assert version.tags["task"] == self.spec.task
        metadata = self.world.root / "production" / self.spec.name / "metadata.json"
        assert json.loads(metadata.read_text())["task"] == self.spec.task


# Gates, metrics and the champion of a regression are in pipeline/evaluation/test_tasks.py as well.
@pytest.mark.slow
def test_bike_rentals_goes_from_files_to_answers(tmp_path):
    example = Example(tmp_path, "bike_rentals")
    rows, measured = example.holdout()
    truth, weight = rows["rentals"], rows["docks"]
    levels = [("prediction_q10", 0.1), ("prediction_q50", 0.5), ("prediction_q90", 0.9)]
    expected = {
        "rmse": reference.root_mean_squared_error(truth, rows["prediction"], sample_weight=weight),
        "mae": reference.mean_absolute_error(truth, rows["prediction"], sample_weight=weight),
        "median_absolute_error": reference.median_absolute_error(truth, rows["prediction"], sample_weight=weight),
        "r2": reference.r2_score(truth, rows["prediction"], sample_weight=weight),
        "pinball_loss": np.mean(
            [
                reference.mean_pinball_loss(truth, rows[name], alpha=level, sample_weight=weight)
                for name, level in levels
            ]
        ),
    }
    assert {name: measured[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    batch = example.batch()
    assert (batch["prediction"] == batch["prediction_q50"]).all()
    assert (batch["prediction_q10"] <= batch["prediction_q90"]).all()
    assert example.stages.evaluation.not_due(example.newest)
    assert check(example.result, "model_due").passed
    example.assert_predicts_the_same_everywhere()


@pytest.mark.slow
def test_support_tickets_goes_from_files_to_answers(tmp_path):
    example = Example(tmp_path, "support_tickets")
    rows, measured = example.holdout()
    classes, values = list(example.spec.classes), list(example.spec.outputs.values)
    truth, predicted = rows["team"], rows["predicted_class"]
    probabilities = rows[values].to_numpy(np.float64)
    expected = {
        "log_loss": -np.log(probabilities[np.arange(len(rows)), truth.map(classes.index)]).mean(),
        "accuracy": reference.accuracy_score(truth, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, predicted),
        "f1_macro": reference.f1_score(truth, predicted, average="macro"),
        "recall_billing": reference.recall_score(truth == "billing", predicted == "billing"),
        "roc_auc_ovr": np.mean(
            [reference.roc_auc_score(truth == label, rows[name]) for label, name in zip(classes, values, strict=True)]
        ),
    }
    assert {name: measured[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert set(example.batch()["predicted_class"]) <= set(classes)
    example.assert_predicts_the_same_everywhere()
