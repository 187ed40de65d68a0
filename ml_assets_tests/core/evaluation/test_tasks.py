"""Every metric of a regression and of several classes, on ten rows with weights, is a gate that says yes and no, on
slices too; a model that is worse than the champion, or as a challenger, is refused.
"""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.evaluation.gates import evaluate_champion_gate, evaluate_gates, evaluate_slice_gates
from ml_assets.core.evaluation.holdout_metrics import compare_with_champion, exclude_known_positives, measure_holdout
from ml_assets.core.metrics.scored_rows import task_metrics
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.model_spec.evaluation import ChampionGate, Gate
from ml_assets.core.release.canary_comparison import measure_canary
from ml_assets.core.release.canary_evidence import explain_failure
from ml_assets_tests.support.changed_spec import with_task

DAY = date(2025, 3, 1)
CLASSES = ["bus", "light rail", "car"]


@pytest.fixture(params=["regression", "multiclass"])
def task(request) -> str:
    return request.param


@pytest.fixture
def spec(small, task) -> ModelSpec:
    columns = {**small["columns"], "weight": {"type": "integer", "minimum": 0}}
    columns["label"] = {"type": "number" if task == "regression" else "string", "nullable": True}
    changes = {"columns": columns, "sample_weight": "weight"}
    if task == "regression":
        changes["training"] = small["training"] | {"objective": "quantile", "quantiles": [0.1, 0.9]}
    else:
        changes["classes"] = CLASSES
    attributes = with_task(small, task, **changes)
    attributes["evaluation"] |= {"slices": ["card"], "slice_min_rows": 3}
    return ModelSpec.model_validate(attributes)


def scored_rows(task: str, prefix: str = "", error: float = 1.0) -> pd.DataFrame:
    """Ten rows with predictions; the last has no label, and the one before it no weight."""
    numbers = np.arange(10)
    rows = pd.DataFrame(
        {
            "day": DAY,
            "id": numbers,
            "event_time": pd.Timestamp(DAY, tz="UTC"),
            "card": ["x", "y"] * 5,
            "weight": [1, 2, 1, 1, 3, 1, 2, 1, 0, 1],
        }
    )
    if task == "regression":
        rows["label"] = np.append(numbers[:-1] * 10.0, np.nan)
        off = np.array([1, -2, 3, 0, -1, 2, -3, 1, 500, 0]) * error
        predicted = {"prediction": numbers * 10 + off, "prediction_q10": numbers * 10 + off - 2}
        predicted["prediction_q90"] = numbers * 10 + off + 2
    else:
        classes = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
        rows["label"] = [*(CLASSES[position] for position in classes[:-1]), None]
        right = np.array([0.7, 0.2, 0.5, 0.8, 0.6, 0.3, 0.4, 0.5, 0.1, 0.9]) * (1 if error == 1 else 0.2)
        probabilities = np.repeat(((1 - right) / 2)[:, None], 3, axis=1) * np.array([1.2, 1.0, 0.8])
        probabilities[numbers, classes] = right
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        if error > 4:
            probabilities = np.tile([0.8, 0.1, 0.1], (10, 1))
        names = ("bus", "light_rail", "car")
        predicted = {f"probability_{name}": probabilities[:, k] for k, name in enumerate(names)}
    return rows.assign(**{f"{prefix}{name}": values for name, values in predicted.items()})


def overall(spec: ModelSpec, task: str) -> dict[str, float]:
    measured = measure_holdout(spec, scored_rows(task), None)
    everything = measured[measured["slice_column"] == ""]
    assert set(everything["rows"]) == {8}
    assert everything["positives"].isna().all()
    return dict(zip(everything["metric"], everything["value"], strict=True))


def test_every_metric_of_the_task_is_measured_and_its_gate_says_yes_and_no(spec, task):
    metrics = overall(spec, task)
    assert tuple(metrics) == task_metrics(spec).measured
    for name, value in metrics.items():
        assert math.isfinite(value), name
        for bounds, passed in [
            ({"minimum": value}, True),
            ({"maximum": value}, True),
            ({"minimum": np.nextafter(value, math.inf)}, False),
            ({"maximum": np.nextafter(value, -math.inf)}, False),
        ]:
            (result,) = evaluate_gates({name: Gate(**bounds)}, metrics)
            assert result.passed is passed, (name, bounds)


def test_rows_count_by_their_weight(spec, task):
    from sklearn import metrics

    rows = scored_rows(task).iloc[:9]
    measured, weights = overall(spec, task), rows["weight"]
    if task == "regression":
        assert measured["mae"] == pytest.approx(
            metrics.mean_absolute_error(rows["label"], rows["prediction"], sample_weight=weights), rel=1e-9
        )
        assert measured["mae"] < 3
    else:
        probabilities = rows[[f"probability_{name}" for name in ("bus", "light_rail", "car")]].to_numpy()
        guesses = [CLASSES[position] for position in probabilities.argmax(axis=1)]
        assert measured["accuracy"] == pytest.approx(
            metrics.accuracy_score(rows["label"], guesses, sample_weight=weights), rel=1e-9
        )


def test_gates_of_slices_count_rows_and_say_no(spec, task):
    measured = measure_holdout(spec, scored_rows(task), None)
    slices = measured[measured["slice_column"] != ""].to_dict("records")
    metric = "mae" if task == "regression" else "log_loss"
    strict = {metric: Gate(maximum=1e6, slice_maximum=0.001)}
    (refused,) = evaluate_slice_gates(strict, slices, 3, "rows")
    assert refused.passed is False
    assert f"{metric} of card" in refused.reason
    (too_few,) = evaluate_slice_gates(strict, slices, 5, "rows")
    assert too_few.passed is None
    assert "no slice has 5 rows or more" in too_few.reason


@pytest.mark.parametrize(("error", "passed"), [(1.0, True), (4.0, False)])
def test_a_model_that_is_worse_than_the_champion_is_refused(spec, task, error, passed):
    champion = scored_rows(task, "champion_")
    columns = [name for name in champion.columns if name.startswith("champion_")]
    rows = scored_rows(task, error=error).assign(**{name: champion[name] for name in columns})
    compared = compare_with_champion(spec, rows, (None, None))
    assert compared["metric"].tolist() == [*task_metrics(spec).compared]
    known = {"champion_version": 1, "champion_day": DAY, "note": None}
    metric = "rmse" if task == "regression" else "log_loss"
    gate = ChampionGate.model_validate({"metric": metric, "margin": 0.02})
    result = evaluate_champion_gate(gate, [{**row, **known} for row in compared.to_dict("records")])
    assert result.passed is passed, result.reason
    if task == "regression":
        champion_value = compared.loc[compared["metric"] == "rmse", "champion_value"].to_numpy()
        assert [result.minimum] == pytest.approx(-0.02 * champion_value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"margin": 0.5, "maximum_error_increase": 1}, None),
        ({"margin": 0.02}, "worse by more than"),
        ({"margin": 1000, "maximum_error_increase": 0.01}, "error is|classes are wrong"),
        (
            {"margin": 1000, "maximum_error_increase": 1, "maximum_prediction_distance": 0.001},
            "predictions of the same",
        ),
    ],
)
def test_a_challenger_that_is_worse_or_predicts_something_else_is_rolled_back(spec, task, change, reason):
    error = 1.0 if reason is None else 40.0
    parts = []
    for number in range(10):
        champion = scored_rows(task, "champion_")
        challenger = scored_rows(task, "challenger_", error)
        names = [name for name in challenger.columns if name.startswith("challenger_")]
        parts.append(champion.assign(day=pd.Timestamp(DAY) + pd.Timedelta(days=number), **challenger[names]))
    frame = pd.concat(parts, ignore_index=True)
    known = frame["label"].notna()
    metrics = task_metrics(spec)
    label = np.full(len(frame), np.nan)
    label[known] = metrics.read_targets(frame.loc[known, "label"])
    rows = frame.assign(label=label, challengers=False, compared=True)
    metric = "rmse" if task == "regression" else "log_loss"
    canary = Canary.model_validate({"metric": metric, "bootstrap_samples": 40, **change})
    measured = measure_canary(canary, metrics, rows, (None, None), DAY, date(2025, 3, 9), 1)
    assert (measured.evidence.rows, measured.evidence.positives) == (72, None)
    failure = explain_failure(canary, measured.evidence)
    if reason is None:
        assert failure is None
    else:
        assert failure is not None
        assert any(part in failure for part in reason.split("|")), failure
    shown = set(measured.comparison["metric"])
    assert {"prediction_distance"} <= shown
    assert not {"positive_decisions", "mean_score", "positives"} & shown


def test_known_positives_are_those_of_the_positive_label(small):
    small["columns"]["label"] = {"type": "string", "allowed": ["no", "yes"], "nullable": True}
    small["evaluation"] |= {"exclude_known_positives": True}
    spec = ModelSpec.model_validate({**small, "positive": "yes"})
    rows = pd.DataFrame({"day": pd.Timestamp("2025-02-10"), "card": ["x", "y"], "label": ["no", "no"]})
    earlier = pd.DataFrame({"day": pd.Timestamp("2025-02-01"), "card": ["x", "y", "x"], "label": ["no", "yes", None]})
    kept = exclude_known_positives(spec, rows, [date(2025, 2, 10)], earlier)
    assert kept["card"].tolist() == ["x"]
