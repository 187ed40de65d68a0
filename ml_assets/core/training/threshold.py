"""The decision threshold: the minimum score of a positive decision."""

import numpy as np
from numpy.typing import ArrayLike

from ml_assets.core.counts import count
from ml_assets.core.metrics.classification import sorted_rows
from ml_assets.core.model_spec.training import Threshold


def choose_threshold(rule: Threshold, labels: ArrayLike, scores: ArrayLike) -> tuple[float, str]:
    """Choose the threshold by the rule of the specification, and describe its effect on the rows in one sentence.

    Candidates are the distinct scores. The decision is positive for every row whose score is at least the threshold, so
    rows with equal scores get equal decisions, and the result does not depend on the order of the rows. precision = TP
    / (TP + FP), recall = TP / P, F1 = 2 TP / (TP + FP + P). Among thresholds with the same best F1 the highest is
    chosen, because it gives the fewest positive decisions.

    Args:
        rule: see `Threshold`; `fixed` ignores the rows.
        labels: 0 or 1, shape (n,).
        scores: between 0 and 1, shape (n,), in the same order.

    Raises:
        ValueError: for labels and scores that `sorted_rows` refuses, and when no row is positive for a rule that needs
            the rows.
    """
    # Only max_f1 has no value, and does not need one.
    value = rule.value or 0.0
    if rule.rule == "fixed":
        return value, f"fixed at {value}"
    ordered, values = sorted_rows(labels, scores)
    if not (positives := int(ordered.sum())):
        raise ValueError(f"no threshold can be chosen by {rule.rule}: none of the {len(ordered)} rows is positive")
    last_of_ties = np.flatnonzero(np.diff(values, append=-np.inf))
    hits, decided = np.cumsum(ordered)[last_of_ties], last_of_ties + 1
    precision, recall, f1 = hits / decided, hits / positives, 2 * hits / (decided + positives)
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
