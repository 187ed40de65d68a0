"""Comparison of the models of a canary: both on the challenger's rows, and each on the rows that it was live for."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from ml_assets.core.metrics.bootstrap import row_intervals
from ml_assets.core.metrics.classification import RowMetrics
from ml_assets.core.metrics.kolmogorov_smirnov import ks_distance
from ml_assets.core.metrics.paired_comparison import COMPARISON_FIGURES, compare_models
from ml_assets.core.metrics.paired_proportions import (
    PairedEstimate,
    mean_interval,
    proportion_difference,
    proportion_interval,
    proportion_ratio,
)
from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.release.canary_policy import Evidence

PAIRED, CHAMPION_SCOPE, CHALLENGER_SCOPE = "paired", "champion_side", "challenger_side"
QUANTILES = (0.5, 0.9, 0.99, 0.999)
COLUMNS = ["scope", "metric", "value", "champion_value", "difference", "low", "high", "rows"]
NAN = float("nan")


@dataclass(frozen=True)
class Measured:
    """The evidence of a canary, and all of its metrics as a table.

    comparison: columns of `COLUMNS`. Scope `paired`: both models on the compared rows since the canary began, with
    value (of the challenger), champion_value, and difference with its interval (low, high). The difference is the
    improvement of a metric, the increase of a share or score, or the ratio of positive_decisions. Scopes
    `champion_side` and `challenger_side`: each model on the entities that it was live for since the present step began,
    with value and its interval.
    """

    evidence: Evidence
    comparison: pd.DataFrame


def measure_canary(
    canary: Canary,
    rows: pd.DataFrame,
    thresholds: tuple[float, float],
    step_since: date,
    labels_through: date,
    seed: int,
    problem: str | None = None,
) -> Measured:
    """Measure both models on the rows since the canary began. The result does not depend on the order of the rows.

    Args:
        canary: the rules, with the `bootstrap_samples` and `confidence` of every interval.
        rows: columns `day` (datetime64), `label` (0, 1, or NaN where it is not known), `challengers` (whether the
            challenger was live for the row), `compared` (the same, and all rows of a day in shadow), `champion_score`,
            and `challenger_score`, which is used on compared rows only. Labels of days after `labels_through` are
            ignored.
        thresholds: the decision thresholds of challenger and champion.
        step_since: first day of the present step.
        labels_through: the last day whose labels are known.
        seed: seed of the bootstrap.
        problem: why the challenger cannot score; its scores are then missing, and nothing is compared.
    """
    known_labels = rows["label"].where(rows["day"] <= pd.Timestamp(labels_through))
    rows = rows.assign(label=known_labels)
    paired = rows.iloc[:0] if problem else rows[rows["compared"]]
    labelled = paired[paired["label"].notna()]
    labels = labelled["label"].to_numpy(np.int64)
    scores = labelled["challenger_score"].to_numpy(), labelled["champion_score"].to_numpy()
    compared = compare_models(labels, scores, thresholds, canary.bootstrap_samples, canary.confidence, seed)
    wrong = [(score >= threshold) != (labels == 1) for score, threshold in zip(scores, thresholds, strict=True)]
    errors = proportion_difference(*wrong, canary.confidence)
    challenger, champion = paired["challenger_score"].to_numpy(), paired["champion_score"].to_numpy()
    decisions = proportion_ratio(challenger >= thresholds[0], champion >= thresholds[1], canary.confidence)
    is_in_step = labelled["day"] >= pd.Timestamp(step_since)
    metrics = {
        row["metric"]: PairedEstimate(*(row[name] for name in COMPARISON_FIGURES))
        for row in compared.to_dict("records")
    }
    evidence = Evidence(
        step_days=int(labelled["day"][is_in_step].nunique()),
        step_rows=int(is_in_step.sum()),
        positives=int(labels.sum()),
        metrics=metrics,
        errors=errors,
        decisions=decisions,
        labels_through=labels_through,
        problem=problem,
    )
    increase = challenger - champion
    scored = PairedEstimate(
        _mean(challenger), _mean(champion), _mean(increase), *mean_interval(increase, canary.confidence)
    )
    distance = ks_distance(challenger, champion)
    figures = [_paired(name, each, len(labelled)) for name, each in {**metrics, "wrong_decisions": errors}.items()]
    figures += [_paired("positive_decisions", decisions, len(paired)), _paired("mean_score", scored, len(paired))]
    figures += [_single(PAIRED, "ks_distance", distance, (NAN, NAN), len(paired))]
    step = rows[rows["day"] >= pd.Timestamp(step_since)]
    if not problem:
        figures += _live_figures(
            canary, CHALLENGER_SCOPE, step[step["challengers"]], "challenger_score", thresholds[0], seed
        )
    figures += _live_figures(canary, CHAMPION_SCOPE, step[~step["challengers"]], "champion_score", thresholds[1], seed)
    return Measured(evidence, pd.DataFrame(figures, columns=COLUMNS))


def _live_figures(
    canary: Canary, scope: str, rows: pd.DataFrame, score: str, threshold: float, seed: int
) -> list[dict]:
    """Measure one model on the entities that it was live for: metrics and wrong decisions on labelled rows, decisions
    and scores on all rows.
    """
    scores, labelled = rows[score].to_numpy(), rows[rows["label"].notna()]
    metrics = RowMetrics(labelled["label"].to_numpy(np.int64), labelled[score].to_numpy(), threshold)
    intervals = row_intervals(metrics, canary.bootstrap_samples, canary.confidence, seed)
    figures = [
        _single(scope, name, value, intervals[name], metrics.rows) for name, value in metrics.point_values().items()
    ]
    wrong = int(((labelled[score] >= threshold) != (labelled["label"] == 1)).sum())
    for name, count, total in [
        ("wrong_decisions", wrong, metrics.rows),
        ("positive_decisions", int((scores >= threshold).sum()), len(scores)),
        ("positives", metrics.positives, metrics.rows),
    ]:
        interval = proportion_interval(count, total, canary.confidence)
        figures.append(_single(scope, name, count / total if total else NAN, interval, total))
    figures.append(_single(scope, "mean_score", _mean(scores), mean_interval(scores, canary.confidence), len(scores)))
    quantiles = np.quantile(scores, QUANTILES) if len(scores) else [NAN] * len(QUANTILES)
    figures += [
        _single(scope, f"score_quantile_{level:g}", float(value), (NAN, NAN), len(scores))
        for level, value in zip(QUANTILES, quantiles, strict=True)
    ]
    return figures


def _paired(metric: str, compared: PairedEstimate, rows: int) -> dict:
    interval = [compared.difference, compared.low, compared.high]
    return dict(zip(COLUMNS, [PAIRED, metric, compared.challenger, compared.champion, *interval, rows], strict=True))


def _single(scope: str, metric: str, value: float, interval: tuple[float, float], rows: int) -> dict:
    return dict(zip(COLUMNS, [scope, metric, value, NAN, NAN, *interval, rows], strict=True))


def _mean(values: np.ndarray) -> float:
    """Compute the mean in sorted order, so that it does not depend on the order of the values."""
    return float(np.sort(values).mean()) if len(values) else NAN
