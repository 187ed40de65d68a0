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
from ml_assets.core.metrics.estimated_performance import ESTIMATED
from ml_assets.core.model_spec.deployment import QualityEstimate

DAY = date(2025, 1, 20)
SETTINGS = QualityEstimate(minimum_positives=2, samples=20)
SCORES = np.linspace(0.05, 0.95, 10)
HOLDOUT = ScoredHoldout(np.array([0, 0, 0, 1, 0, 0, 1, 1, 1, 1]), SCORES, {"recall": 0.8})


def predictions(side: str = "champion", version: int = 1) -> pd.DataFrame:
    return pd.DataFrame({"score": SCORES, "decision": SCORES >= 0.5, "side": side, "model_version": version})


def test_each_side_has_its_metrics_with_those_of_its_holdout():
    both = pd.concat([predictions(), predictions("challenger", 2)], ignore_index=True)
    rows = estimate_quality(DAY, both, {"champion": HOLDOUT, "challenger": HOLDOUT}, SETTINGS, "binary", 0)
    assert [(row["side"], row["model_version"]) for row in rows[:: len(ESTIMATED)]] == [
        ("challenger", 2),
        ("champion", 1),
    ]
    recall = next(row for row in rows if row["metric"] == "recall")
    assert recall["holdout_value"] == 0.8
    assert recall["low"] <= recall["value"] <= recall["high"]
    assert recall["positives"] == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize(
    ("holdouts", "task", "words"),
    [
        ({}, "binary", "the champion of 2025-01-20 is not known"),
        ({"champion": ScoredHoldout(problem="it is gone")}, "binary", "it is gone"),
        ({"champion": ScoredHoldout()}, "binary", "the holdout has 0 positives"),
        ({"champion": HOLDOUT}, "regression", "regression: not estimated."),
    ],
)
def test_rows_without_an_estimate_have_a_reason(holdouts, task, words):
    rows = estimate_quality(DAY, predictions(), holdouts, SETTINGS, task, 0)
    assert [row["value"] for row in rows] == [None] * len(ESTIMATED)
    assert str(rows[0]["note"]).startswith(words)


def test_realised_metrics_are_of_the_labelled_rows():
    labels = np.array([0, 0, np.nan, 1, 0, 0, 1, 1, 1, 1])
    rows = measure_quality(DAY, predictions().assign(label=labels), {"champion": HOLDOUT}, SETTINGS, "binary", 0)
    known = ~np.isnan(labels)
    expected = point_metrics(labels[known].astype(int), SCORES[known], 0.5)
    assert {row["metric"]: row["value"] for row in rows} == {name: expected[name] for name in ESTIMATED}
    assert {(row["rows"], row["positives"]) for row in rows} == {(9, 5.0)}
    refused = measure_quality(DAY, predictions().assign(label=labels), {}, SETTINGS, "multiclass", 0)
    assert {row["note"] for row in refused} == {"multiclass: these metrics are of two classes"}


def test_a_model_that_decides_nothing_positive_has_no_threshold_within_the_scores():
    assert threshold_of(predictions()) == SCORES[5]
    assert threshold_of(predictions().assign(decision=False)) == inf


def test_estimates_are_joined_with_what_was_realised_later():
    estimated = estimate_quality(DAY, predictions(), {"champion": HOLDOUT}, SETTINGS, "binary", 0)
    labelled = predictions().assign(label=HOLDOUT.labels.astype(float))
    realised = measure_quality(DAY, labelled, {"champion": HOLDOUT}, SETTINGS, "binary", 0)
    joined = join_estimated_and_realised([*realised, *estimated])
    assert [row["metric"] for row in joined] == sorted(ESTIMATED)
    assert all(row["estimated"] is not None and row["realised"] is not None for row in joined)
    assert {row["realised"] for row in join_estimated_and_realised(estimated)} == {None}
