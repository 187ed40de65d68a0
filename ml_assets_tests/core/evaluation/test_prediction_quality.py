"""Rows of prediction_quality: by side, with a reason where there is no estimate, joined by the day of predictions."""

from datetime import date
from math import inf

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.evaluation.prediction_quality import (
    ScoredHoldout,
    estimate_quality,
    join_estimated_and_realised,
    measure_quality,
    threshold_of,
)
from ml_assets.core.metrics.classification import point_metrics
from ml_assets.core.metrics.multiclass import MulticlassMetrics
from ml_assets.core.metrics.regression import RegressionMetrics
from ml_assets.core.metrics.resampled import point_values
from ml_assets.core.metrics.scored_rows import TaskMetrics
from ml_assets.core.model_spec.deployment import QualityEstimate
from ml_assets.core.model_spec.types.metric_names import ESTIMATED, measured_metrics
from ml_assets.core.model_spec.types.task import Outputs

DAY = date(2025, 1, 20)
SETTINGS = QualityEstimate(minimum_positives=2, samples=20)
SCORES = np.linspace(0.05, 0.95, 10)
BINARY, NUMBERS, CLASSES = (
    TaskMetrics(outputs, "label", lambda labels: labels.to_numpy())
    for outputs in (Outputs(), Outputs("regression", quantiles=(0.1, 0.9)), Outputs("multiclass", ("bus", "tram")))
)
HOLDOUT = ScoredHoldout(np.array([0, 0, 0, 1, 0, 0, 1, 1, 1, 1]), SCORES, {"recall": 0.8})


SIDE = {"side": "champion", "model_version": 1}


def predictions(side: str = "champion", version: int = 1) -> pd.DataFrame:
    return pd.DataFrame({"score": SCORES, "decision": SCORES >= 0.5, "side": side, "model_version": version})


def test_each_side_has_its_metrics_with_those_of_its_holdout():
    both = pd.concat([predictions(), predictions("challenger", 2)], ignore_index=True)
    rows = estimate_quality(DAY, both, {"champion": HOLDOUT, "challenger": HOLDOUT}, SETTINGS, BINARY, 0)
    assert [(row["side"], row["model_version"]) for row in rows[:: len(ESTIMATED)]] == [
        ("challenger", 2),
        ("champion", 1),
    ]
    recall = next(row for row in rows if row["metric"] == "recall")
    assert recall["holdout_value"] == 0.8
    assert recall["low"] <= recall["value"] <= recall["high"]
    assert recall["positives"] == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize(
    ("holdouts", "metrics", "words"),
    [
        ({}, BINARY, "the champion of 2025-01-20 is not known"),
        ({"champion": ScoredHoldout(problem="it is gone")}, BINARY, "it is gone"),
        ({"champion": ScoredHoldout()}, BINARY, "the holdout has 0 positives"),
        ({"champion": HOLDOUT}, NUMBERS, "a regression is not estimated: "),
        ({"champion": ScoredHoldout()}, CLASSES, "the holdout has 0 of bus, 0 of tram; a calibration needs 2 rows of"),
    ],
)
def test_rows_without_an_estimate_have_a_reason(holdouts, metrics, words):
    rows = estimate_quality(DAY, predictions(), holdouts, SETTINGS, metrics, 0)
    expected = ESTIMATED if metrics is BINARY else measured_metrics(metrics.outputs)
    assert [(row["metric"], row["value"]) for row in rows] == [(name, None) for name in expected]
    assert str(rows[0]["note"]).startswith(words)


def test_realised_metrics_are_of_the_labelled_rows():
    labels = np.array([0, 0, np.nan, 1, 0, 0, 1, 1, 1, 1])
    rows = measure_quality(DAY, predictions().assign(label=labels), {"champion": HOLDOUT}, SETTINGS, BINARY, 0)
    known = ~np.isnan(labels)
    expected = point_metrics(labels[known].astype(int), SCORES[known], 0.5)
    assert {row["metric"]: row["value"] for row in rows} == {name: expected[name] for name in ESTIMATED}
    assert {(row["rows"], row["positives"]) for row in rows} == {(9, 5.0)}


def test_metrics_that_a_day_without_positives_does_not_have_say_so():
    rows = measure_quality(DAY, predictions().assign(label=0.0), {"champion": HOLDOUT}, SETTINGS, BINARY, 0)
    notes = {row["metric"]: row["note"] for row in rows}
    assert str(notes["roc_auc"]).startswith("undefined on these rows")
    assert notes["precision"] is None


def test_numbers_have_realised_metrics():
    truth, predicted = np.arange(8.0), np.arange(8.0) + [0.5, -0.5] * 4
    quantiles = {"prediction_q10": predicted - 1, "prediction_q90": predicted + 0.4}
    frame = pd.DataFrame({"prediction": predicted, **quantiles, "label": truth, **SIDE})
    rows = measure_quality(DAY, frame, {"champion": ScoredHoldout(metrics={"rmse": 2.0})}, SETTINGS, NUMBERS, 0)
    expected = point_values(RegressionMetrics(truth, predicted, {0.1: predicted - 1, 0.9: predicted + 0.4}))
    assert {row["metric"]: row["value"] for row in rows} == pytest.approx(expected)
    rmse = next(row for row in rows if row["metric"] == "rmse")
    assert (rmse["value"], rmse["holdout_value"], rmse["positives"]) == (0.5, 2.0, None)
    assert rmse["low"] <= 0.5 <= rmse["high"]


def test_classes_are_estimated_and_realised():
    share = np.linspace(0.05, 0.95, 20)
    probabilities, labels = np.column_stack([1 - share, share]), np.array([0] * 9 + [1, 0] + [1] * 9)
    frame = pd.DataFrame({"probability_bus": 1 - share, "probability_tram": share, **SIDE})
    holdout = {"champion": ScoredHoldout(labels, probabilities, {"accuracy": 0.9})}
    estimated = estimate_quality(DAY, frame, holdout, SETTINGS, CLASSES, 0)
    realised = measure_quality(DAY, frame.assign(label=labels.astype(float)), holdout, SETTINGS, CLASSES, 0)
    expected = point_values(MulticlassMetrics(labels, probabilities, ["bus", "tram"]))
    assert {row["metric"]: row["value"] for row in realised} == pytest.approx(expected)
    accuracy = {row["metric"]: row for row in estimated}["accuracy"]
    assert accuracy["value"] == pytest.approx(0.9, abs=0.06)
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert accuracy["holdout_value"] == 0.9


def test_a_model_that_decides_nothing_positive_has_no_threshold_within_the_scores():
    assert threshold_of(predictions()) == SCORES[5]
    assert threshold_of(predictions().assign(decision=False)) == inf


def test_estimates_are_joined_with_what_was_realised_later():
    estimated = estimate_quality(DAY, predictions(), {"champion": HOLDOUT}, SETTINGS, BINARY, 0)
    labelled = predictions().assign(label=HOLDOUT.targets.astype(float))
    realised = measure_quality(DAY, labelled, {"champion": HOLDOUT}, SETTINGS, BINARY, 0)
    joined = join_estimated_and_realised([*realised, *estimated])
    assert [row["metric"] for row in joined] == sorted(ESTIMATED)
    assert all(row["estimated"] is not None and row["realised"] is not None for row in joined)
    assert {row["realised"] for row in join_estimated_and_realised(estimated)} == {None}
