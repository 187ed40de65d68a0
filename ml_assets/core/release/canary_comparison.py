"""Comparison of the models of a canary: both on the challenger's rows, and each on the rows for which it was live."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.core.metrics.bootstrap import row_intervals
from ml_assets.core.metrics.kolmogorov_smirnov import ks_distance
from ml_assets.core.metrics.paired_comparison import COMPARISON_FIGURES, compare_predictions
from ml_assets.core.metrics.paired_proportions import PairedEstimate, mean_interval, proportion_interval
from ml_assets.core.metrics.resampled import NAN, point_values
from ml_assets.core.metrics.scored_rows import CHALLENGER_PREFIX, CHAMPION_PREFIX, TaskMetrics
from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.model_spec.types.task import MULTICLASS, REGRESSION
from ml_assets.core.release.canary_differences import (
    Pair,
    Thresholds,
    compare_distributions,
    compare_errors,
    decide,
    labels_of,
    sorted_mean,
    wrong_predictions,
)
from ml_assets.core.release.canary_evidence import Evidence

PAIRED, CHAMPION_SCOPE, CHALLENGER_SCOPE = "paired", "champion_side", "challenger_side"
QUANTILES = (0.5, 0.9, 0.99, 0.999)
COLUMNS = ["scope", "metric", "value", "champion_value", "difference", "low", "high", "rows"]


@dataclass(frozen=True)
class Measured:
    """The evidence of a canary, and all of its metrics as a table.

    comparison: columns of `COLUMNS`. Scope `paired`: both models on the compared rows since the canary began, with
    value (of the challenger), champion_value, and difference with its interval (low, high). The difference is the
    improvement of a metric, the increase of a share, score or error, the ratio of positive_decisions, or the distance
    of predictions. Scopes `champion_side` and `challenger_side`: each model on the entities for which it was live since
    the current step began, with value and its interval.
    """

    evidence: Evidence
    comparison: pd.DataFrame


def measure_canary(
    canary: Canary,
    task: TaskMetrics,
    rows: pd.DataFrame,
    thresholds: Thresholds,
    step_since: date,
    labels_through: date,
    seed: int,
    problem: str | None = None,
) -> Measured:
    """Measure both models on the rows since the canary began. The result does not depend on the order of the rows.

    Args:
        canary: the rules, with the `bootstrap_samples` and `confidence` of every interval.
        task: the metrics of the task.
        rows: columns `day` (datetime64), `label` (0 and 1, positions of classes, or numbers; NaN where it is not
            known), `challengers` (whether the challenger was live for the row), `compared` (the same rows, and all rows
            of days in shadow), the champion's predictions with the prefix `champion_`, and the challenger's with the
            prefix `challenger_`, which are used only on compared rows. Optional `weight`: sample weights; a row of
            weight 0 is treated like one without a label. Labels of days after `labels_through` are ignored.
        thresholds: the decision thresholds of challenger and champion; None unless the task is binary.
        step_since: first day of the current step.
        labels_through: the last day whose labels are known.
        seed: seed of the bootstrap.
        problem: the reason why the challenger cannot score; its scores are then missing, and nothing is compared.
    """
    counts = rows["day"] <= pd.Timestamp(labels_through)
    if "weight" in rows.columns:
        counts &= rows["weight"].fillna(0) > 0
    rows = rows.assign(label=rows["label"].where(counts))
    paired = rows.iloc[:0] if problem else rows[rows["compared"]]
    is_labelled = paired["label"].notna().to_numpy()
    labelled = paired[is_labelled]
    targets, weights = labels_of(task, labelled["label"]), _weights(labelled)
    both = task.read_predictions(paired, CHALLENGER_PREFIX), task.read_predictions(paired, CHAMPION_PREFIX)
    known = both[0][is_labelled], both[1][is_labelled]
    measures = task.measure(thresholds[0]), task.measure(thresholds[1])
    resampling = canary.bootstrap_samples, canary.confidence, seed
    compared = compare_predictions(targets, known, measures, task.compared, *resampling, weights)
    errors_name, errors = compare_errors(task, targets, known, thresholds, weights, canary.confidence)
    predictions_name, predictions = compare_distributions(task, both, thresholds, canary.confidence)
    is_in_step = labelled["day"] >= pd.Timestamp(step_since)
    metrics = {
        row["metric"]: PairedEstimate(*(row[name] for name in COMPARISON_FIGURES))
        for row in compared.to_dict("records")
    }
    evidence = Evidence(
        step_days=int(labelled["day"][is_in_step].nunique()),
        step_rows=int(is_in_step.sum()),
        positives=int(targets.sum()) if task.is_binary else None,
        metrics=metrics,
        errors=errors,
        predictions=predictions,
        labels_through=labels_through,
        problem=problem,
        rows=len(labelled),
        errors_name=errors_name,
        predictions_name=predictions_name,
    )
    figures = [_paired(name, each, len(labelled)) for name, each in {**metrics, errors_name: errors}.items()]
    figures += [_paired(predictions_name, predictions, len(paired))]
    if task.is_binary:
        figures += _score_figures(both, canary.confidence)
    step = rows[rows["day"] >= pd.Timestamp(step_since)]
    if not problem:
        live = step[step["challengers"]]
        figures += _live_figures(canary, task, CHALLENGER_SCOPE, live, CHALLENGER_PREFIX, thresholds[0], seed)
    live = step[~step["challengers"]]
    figures += _live_figures(canary, task, CHAMPION_SCOPE, live, CHAMPION_PREFIX, thresholds[1], seed)
    return Measured(evidence, pd.DataFrame(figures, columns=COLUMNS))


def _live_figures(
    canary: Canary,
    task: TaskMetrics,
    scope: str,
    rows: pd.DataFrame,
    prefix: str,
    threshold: float | None,
    seed: int,
) -> list[dict]:
    """Measure one model on the entities for which it was live: metrics and wrong decisions on labelled rows, decisions
    and predictions on all rows.
    """
    predictions = task.read_predictions(rows, prefix)
    is_labelled = rows["label"].notna().to_numpy()
    labelled, known = rows[is_labelled], predictions[is_labelled]
    targets = labels_of(task, labelled["label"])
    metrics = task.measure(threshold)(targets, known, _weights(labelled))
    intervals = row_intervals(metrics, canary.bootstrap_samples, canary.confidence, seed)
    figures = [
        _single(scope, name, value, intervals[name], metrics.rows) for name, value in point_values(metrics).items()
    ]
    shares = []
    if task.task != REGRESSION:
        wrong = int(wrong_predictions(task, targets, known, threshold).sum())
        shares.append(("wrong_decisions" if task.is_binary else "wrong_classes", wrong, metrics.rows))
    if task.is_binary:
        shares.append(("positive_decisions", int(decide(predictions, threshold).sum()), len(rows)))
        shares.append(("positives", int(targets.sum()), metrics.rows))
    if task.task == MULTICLASS:
        classes = predictions.argmax(axis=1) if len(rows) else np.zeros(0, dtype=np.int64)
        counts = np.bincount(classes, minlength=len(task.class_names)).tolist()
        shares += [(f"share_{name}", count, len(rows)) for name, count in zip(task.class_names, counts, strict=True)]
    for name, count, total in shares:
        interval = proportion_interval(count, total, canary.confidence)
        figures.append(_single(scope, name, count / total if total else NAN, interval, total))
    if task.task == MULTICLASS:
        return figures
    kind, values = ("score", predictions) if task.is_binary else ("prediction", predictions[:, 0])
    mean = sorted_mean(values)
    figures.append(_single(scope, f"mean_{kind}", mean, mean_interval(values, canary.confidence), len(values)))
    quantiles = np.quantile(values, QUANTILES) if len(values) else [NAN] * len(QUANTILES)
    return figures + [
        _single(scope, f"{kind}_quantile_{level:g}", float(value), (NAN, NAN), len(values))
        for level, value in zip(QUANTILES, quantiles, strict=True)
    ]


def _score_figures(both: Pair, confidence: float) -> list[dict]:
    """Compare the scores of challenger and champion on all rows."""
    challenger, champion = both
    increase = challenger - champion
    scored = PairedEstimate(
        sorted_mean(challenger), sorted_mean(champion), sorted_mean(increase), *mean_interval(increase, confidence)
    )
    distance = ks_distance(challenger, champion)
    return [
        _paired("mean_score", scored, len(challenger)),
        _single(PAIRED, "ks_distance", distance, (NAN, NAN), len(challenger)),
    ]


def _weights(rows: pd.DataFrame) -> NDArray | None:
    return rows["weight"].to_numpy(np.float64) if "weight" in rows.columns else None


def _paired(metric: str, compared: PairedEstimate, rows: int) -> dict:
    interval = [compared.difference, compared.low, compared.high]
    return dict(zip(COLUMNS, [PAIRED, metric, compared.challenger, compared.champion, *interval, rows], strict=True))


def _single(scope: str, metric: str, value: float, interval: tuple[float, float], rows: int) -> dict:
    return dict(zip(COLUMNS, [scope, metric, value, NAN, NAN, *interval, rows], strict=True))
