"""Differences between challenger and champion in errors and predictions on the same rows, for each task."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.core.metrics.kolmogorov_smirnov import critical_distance, ks_distance
from ml_assets.core.metrics.paired_means import mean_difference, relative_increase
from ml_assets.core.metrics.paired_proportions import (
    NAN,
    PairedEstimate,
    proportion_difference,
    proportion_ratio,
)
from ml_assets.core.metrics.scored_rows import TaskMetrics
from ml_assets.core.model_spec.types.task import REGRESSION
from ml_assets.core.release.canary_evidence import Errors, Predictions

Pair = tuple[NDArray, NDArray]
Thresholds = tuple[float | None, float | None]


def compare_errors(
    task: TaskMetrics,
    targets: NDArray,
    predictions: Pair,
    thresholds: Thresholds,
    weights: NDArray | None,
    confidence: float,
) -> tuple[Errors, PairedEstimate]:
    """Compare the errors of challenger and champion on labelled rows.

    Args:
        task: the metrics of the task.
        targets: targets of the rows, shape (n,).
        predictions: predictions of challenger and champion, from `TaskMetrics.read_predictions`.
        thresholds: the decision thresholds of challenger and champion; None unless the task is binary.
        weights: sample weights above 0, shape (n,); None: every row counts once.
        confidence: confidence level of the interval.

    Returns:
        The name of the figure, and the figure: for a regression the mean absolute error with its relative increase,
        else the share of wrong decisions or classes with its difference.
    """
    if task.task == REGRESSION:
        challenger, champion = (np.abs(values[:, 0] - targets) for values in predictions)
        return "error_increase", relative_increase(challenger, champion, weights, confidence)
    challenger, champion = (
        wrong_predictions(task, targets, values, threshold)
        for values, threshold in zip(predictions, thresholds, strict=True)
    )
    name = "wrong_decisions" if task.is_binary else "wrong_classes"
    if weights is None:
        return name, proportion_difference(challenger, champion, confidence)
    return name, mean_difference(challenger, champion, weights, confidence)


def wrong_predictions(
    task: TaskMetrics, targets: NDArray, predictions: NDArray, threshold: float | None
) -> NDArray[np.bool_]:
    """Return whether the decision, or the predicted class, of each row is wrong."""
    if task.is_binary:
        return decide(predictions, threshold) != (targets == 1)
    return predictions.argmax(axis=1) != targets if len(targets) else np.zeros(0, dtype=bool)


def compare_distributions(
    task: TaskMetrics, predictions: Pair, thresholds: Thresholds, confidence: float
) -> tuple[Predictions, PairedEstimate]:
    """Compare the predictions of challenger and champion on all rows, labelled or not; arguments as for
    `compare_errors`.

    Returns:
        The name of the figure, and the figure. For a binary task, the share of positive decisions with its ratio. For a
            regression, the mean predictions and the Kolmogorov-Smirnov distance of the predictions, with an interval of
            plus or minus the `critical_distance`. For several classes, the total variation distance (half of the sum of
            the absolute differences of the shares of predicted classes), with an interval of plus or minus half of the
            sum of their intervals.
    """
    if task.is_binary:
        decisions = decide(predictions[0], thresholds[0]), decide(predictions[1], thresholds[1])
        return "positive_decisions", proportion_ratio(*decisions, confidence)
    name, rows = "prediction_distance", len(predictions[0])
    if not rows:
        return name, PairedEstimate(NAN, NAN, NAN, NAN, NAN)
    if task.task == REGRESSION:
        challenger, champion = predictions[0][:, 0], predictions[1][:, 0]
        distance = ks_distance(challenger, champion)
        return name, _distance(sorted_mean(challenger), sorted_mean(champion), distance, critical_distance(rows, rows))
    challenger, champion = (values.argmax(axis=1) for values in predictions)
    differences = [
        proportion_difference(challenger == position, champion == position, confidence)
        for position in range(len(task.class_names))
    ]
    distance = sum(abs(estimate.difference) for estimate in differences) / 2
    return name, _distance(NAN, NAN, distance, sum(estimate.high - estimate.low for estimate in differences) / 4)


def decide(scores: NDArray, threshold: float | None) -> NDArray[np.bool_]:
    """Return the decision of each score: positive if it is at least the threshold."""
    assert threshold is not None
    return scores >= threshold


def sorted_mean(values: NDArray) -> float:
    """Compute the mean in sorted order, so that it does not depend on the order of the values; NaN without values."""
    return float(np.sort(values).mean()) if len(values) else NAN


def labels_of(task: TaskMetrics, labels: pd.Series) -> NDArray:
    """Return the known labels of the rows of a canary in the form that the task's metrics take."""
    return labels.to_numpy(np.float64 if task.task == REGRESSION else np.int64)


def _distance(challenger: float, champion: float, distance: float, chance: float) -> PairedEstimate:
    return PairedEstimate(challenger, champion, distance, max(0.0, distance - chance), min(1.0, distance + chance))
