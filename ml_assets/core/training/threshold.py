"""The decision threshold: the score from which a row is decided positive."""

import numpy as np
from numpy.typing import ArrayLike

from ml_assets.core.metrics.classification import sorted_rows
from ml_assets.core.model_spec.training import Threshold


def choose_threshold(rule: Threshold, labels: ArrayLike, scores: ArrayLike) -> tuple[float, str]:
    """The threshold by the rule of the spec, and a sentence on what it does to these rows.

    Candidates are the distinct scores: with a threshold, every row whose score is at least that is decided positive, so
    rows of equal score are decided alike and the result does not depend on the order of the rows. precision = TP / (TP
    + FP), recall = TP / P, F1 = 2 TP / (TP + FP + P). Of thresholds with the same best F1 the highest is taken: it
    decides fewest rows positive.

    Args:
        rule: see `Threshold`. `fixed` does not look at the rows.
        labels: 0 or 1, shape (n,).
        scores: between 0 and 1, shape (n,), in the same order.

    Raises:
        ValueError: for labels and scores that `sorted_rows` refuses, and when there is no positive for a rule that
            looks at them.
    """
    # Only max_f1 has no value, and looks at none.
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
    reaches = f"precision {precision[chosen]:.4g}, recall {recall[chosen]:.4g}, F1 {f1[chosen]:.4g}"
    return float(values[last_of_ties[chosen]]), f"{name}: {reaches} on {len(ordered)} rows, {positives} positive"
