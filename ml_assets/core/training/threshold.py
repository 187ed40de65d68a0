"""The decision threshold: the minimum score of a positive decision."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.counts import count
from ml_assets.core.metrics.classification import sorted_rows
from ml_assets.core.model_spec.training import Threshold


def choose_threshold(
    rule: Threshold, labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> tuple[float, str]:
    """Choose the threshold by the rule of the specification, and describe its effect on the rows in one sentence.

    Candidates are the distinct scores. The decision is positive for every row whose score is at least the threshold, so
    rows with equal scores get equal decisions, and the result does not depend on the order of the rows. precision = TP
    / (TP + FP), recall = TP / P, F1 = 2 TP / (TP + FP + P). Among thresholds with the same best F1 the highest is
    chosen, because it gives the fewest positive decisions.

    Args:
        rule: see `Threshold`; `fixed` ignores the rows.
        labels: 0 or 1, shape (n,).
        scores: between 0 and 1, shape (n,), in the same order.
        weights: sample weights, shape (n,), in the same order; None: every row counts once.

    Raises:
        ValueError: for labels and scores that `sorted_rows` refuses, and when no row is positive for a rule that needs
            the rows.
    """
    # Only max_f1 has no value and needs none.
    value = rule.value or 0.0
    if rule.rule == "fixed":
        return value, f"fixed at {value}"
    ordered, values, weight = _sorted_rows(labels, scores, weights)
    positives = int(ordered.sum())
    if not (total := (ordered * weight).sum()):
        raise ValueError(f"no threshold can be chosen by {rule.rule}: none of the {len(ordered)} rows is positive")
    last_of_ties = np.flatnonzero(np.diff(values, append=-np.inf))
    hits, decided = np.cumsum(ordered * weight)[last_of_ties], np.cumsum(weight)[last_of_ties]
    precision, recall, f1 = hits / decided, hits / total, 2 * hits / (decided + total)
    chosen, name = int(np.argmax(f1)), "max_f1"
    if rule.rule == "min_precision":
        if len(reached := np.flatnonzero(precision >= value)):
            chosen, name = int(reached[-1]), f"min_precision {value}"
        else:
            name = f"max_f1, because no threshold reaches min_precision {value} (best {precision.max():.4g})"
    elif rule.rule == "min_recall":
        chosen, name = int(np.flatnonzero(recall >= value)[0]), f"min_recall {value}"
    description = f"precision {precision[chosen]:.4g}, recall {recall[chosen]:.4g}, F1 {f1[chosen]:.4g}"
    return float(
        values[last_of_ties[chosen]]
    ), f"{name}: {description} on {count(len(ordered), 'row')}, {positives} positive"


def _sorted_rows(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray]:
    """Sort the rows that have a weight by descending score, and return labels, scores and weights."""
    if weights is None:
        ordered, values = sorted_rows(labels, scores)
        return ordered, values, np.ones(len(ordered), dtype=np.int64)
    given = np.asarray(weights, dtype=np.float64)
    has_weight = given > 0
    classes, values, given = np.asarray(labels)[has_weight], np.asarray(scores)[has_weight], given[has_weight]
    order = np.lexsort((given, -classes, -values))
    return classes[order].astype(np.int64), values[order], given[order]
