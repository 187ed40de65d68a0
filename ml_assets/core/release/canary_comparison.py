"""What rows of a canary say: both models on the challenger's rows, and the two sides as they were really live."""

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

PAIRED, CHAMPION_SIDE, CHALLENGER_SIDE = "paired", "champion_side", "challenger_side"
QUANTILES = (0.5, 0.9, 0.99, 0.999)
COLUMNS = ["scope", "metric", "value", "champion_value", "difference", "low", "high", "rows"]
NAN = float("nan")


@dataclass(frozen=True)
class Measured:
    """What is known of a canary, and all figures of it as a table.

    comparison: columns of `COLUMNS`. Of scope `paired` are both models on the challenger's rows since the canary began:
    value of the challenger, champion_value, how much the challenger is better (of metrics), how much higher its value
    is (of shares and scores), or how many times as high (positive_decisions), with low and high of that. Of scope
    `champion_side` and `challenger_side` is each side on the entities that it was live for since the present step
    began: value with low and high.
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
    """The evidence of the rows since the canary began, and the comparison of the two sides. It does not depend on the
    order of the rows.

    Args:
        canary: the rules; `bootstrap_samples` and `confidence` are those of every interval.
        rows: columns `day` (datetime64), `label` (0, 1, or NaN where it is not known), `challengers` (whether the
            challenger was live for the row), `champion_score`, and `challenger_score`, which counts on the challenger's
            rows only. Labels of days after `labels_through` do not count.
        thresholds: the score from which challenger and champion decide positive.
        step_since: first day of the present step.
        labels_through: the last day whose labels are known.
        seed: of the resamples.
        problem: why the challenger cannot score; its scores are then missing, and nothing is compared.
    """
    known = rows["label"].where(rows["day"] <= pd.Timestamp(labels_through))
    rows = rows.assign(label=known)
    tried = rows.iloc[:0] if problem else rows[rows["challengers"]]
    labelled = tried[tried["label"].notna()]
    labels = labelled["label"].to_numpy(np.int64)
    scores = labelled["challenger_score"].to_numpy(), labelled["champion_score"].to_numpy()
    compared = compare_models(labels, scores, thresholds, canary.bootstrap_samples, canary.confidence, seed)
    wrong = [(of >= threshold) != (labels == 1) for of, threshold in zip(scores, thresholds, strict=True)]
    errors = proportion_difference(*wrong, canary.confidence)
    ours, theirs = tried["challenger_score"].to_numpy(), tried["champion_score"].to_numpy()
    decisions = proportion_ratio(ours >= thresholds[0], theirs >= thresholds[1], canary.confidence)
    of_step = labelled["day"] >= pd.Timestamp(step_since)
    metrics = {
        row["metric"]: PairedEstimate(*(row[name] for name in COMPARISON_FIGURES))
        for row in compared.to_dict("records")
    }
    evidence = Evidence(
        step_days=int(labelled["day"][of_step].nunique()),
        step_rows=int(of_step.sum()),
        positives=int(labels.sum()),
        metrics=metrics,
        errors=errors,
        decisions=decisions,
        labels_through=labels_through,
        problem=problem,
    )
    mean = ours - theirs
    scored = PairedEstimate(_mean(ours), _mean(theirs), _mean(mean), *mean_interval(mean, canary.confidence))
    distance = ks_distance(ours, theirs)
    found = [_paired(name, one, len(labelled)) for name, one in {**metrics, "wrong_decisions": errors}.items()]
    found += [_paired("positive_decisions", decisions, len(tried)), _paired("mean_score", scored, len(tried))]
    found += [_of_side(PAIRED, "ks_distance", distance, (NAN, NAN), len(tried))]
    step = rows[rows["day"] >= pd.Timestamp(step_since)]
    if not problem:
        found += _side(canary, CHALLENGER_SIDE, step[step["challengers"]], "challenger_score", thresholds[0], seed)
    found += _side(canary, CHAMPION_SIDE, step[~step["challengers"]], "champion_score", thresholds[1], seed)
    return Measured(evidence, pd.DataFrame(found, columns=COLUMNS))


def _side(canary: Canary, scope: str, rows: pd.DataFrame, score: str, threshold: float, seed: int) -> list[dict]:
    """One side on the entities that it was live for: metrics and wrong decisions of labelled rows, decisions and scores
    of all.
    """
    scores, labelled = rows[score].to_numpy(), rows[rows["label"].notna()]
    metrics = RowMetrics(labelled["label"].to_numpy(np.int64), labelled[score].to_numpy(), threshold)
    intervals = row_intervals(metrics, canary.bootstrap_samples, canary.confidence, seed)
    found = [
        _of_side(scope, name, value, intervals[name], metrics.rows) for name, value in metrics.point_values().items()
    ]
    wrong = int(((labelled[score] >= threshold) != (labelled["label"] == 1)).sum())
    for name, count, of in [
        ("wrong_decisions", wrong, metrics.rows),
        ("positive_decisions", int((scores >= threshold).sum()), len(scores)),
        ("positives", metrics.positives, metrics.rows),
    ]:
        found.append(
            _of_side(scope, name, count / of if of else NAN, proportion_interval(count, of, canary.confidence), of)
        )
    found.append(_of_side(scope, "mean_score", _mean(scores), mean_interval(scores, canary.confidence), len(scores)))
    quantiles = np.quantile(scores, QUANTILES) if len(scores) else [NAN] * len(QUANTILES)
    found += [
        _of_side(scope, f"score_quantile_{of:g}", float(value), (NAN, NAN), len(scores))
        for of, value in zip(QUANTILES, quantiles, strict=True)
    ]
    return found


def _paired(metric: str, one: PairedEstimate, rows: int) -> dict:
    return dict(
        zip(
            COLUMNS,
            [PAIRED, metric, one.challenger, one.champion, one.difference, one.low, one.high, rows],
            strict=True,
        )
    )


def _of_side(scope: str, metric: str, value: float, interval: tuple[float, float], rows: int) -> dict:
    return dict(zip(COLUMNS, [scope, metric, value, NAN, NAN, *interval, rows], strict=True))


def _mean(values: np.ndarray) -> float:
    """The same for every order of the values."""
    return float(np.sort(values).mean()) if len(values) else NAN
