"""Plots of the evaluation of a classifier of several classes, as SVG bytes; equal input gives equal bytes.

Classes are positions among the model's classes, from 0; probabilities have a column for each class. If there is nothing
to draw, the plot states the reason.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml_assets.core.plots.chart import Chart, blank_chart, fractions
from ml_assets.core.plots.colours import BLUE, CLASSES, GREY, ORANGE, RED
from ml_assets.core.plots.evaluation import BINS, BOTTOM, TOP, UNIT, Estimate, estimate_title
from ml_assets.core.plots.feature_lines import feature_lines

MOST_CLASSES = 12
OTHERS = "all others"
LONGEST_NAME = 12
NO_ROWS = "There are no rows"


def confusion_matrix_plot(classes: ArrayLike, predicted: ArrayLike, names: Sequence[str], estimate: Estimate) -> bytes:
    """Plot the number of rows of each true and predicted class, coloured by the share of the true class; `estimate` is
    of accuracy. With more than 12 classes, the rare ones are shown together.
    """
    title = estimate_title("Accuracy", estimate)
    truth, guessed = np.asarray(classes, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if not len(truth):
        return blank_chart(title, NO_ROWS)
    shown, truth, guessed = _most_frequent(truth, guessed, names)
    size = len(shown)
    matrix = np.zeros((size, size), dtype=np.int64)
    np.add.at(matrix, (truth, guessed), 1)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    left = min(40 + 6.2 * max(map(len, shown)), 200)
    chart = Chart(title)
    panel = chart.panel(TOP, BOTTOM, (-0.5, size - 0.5), (size - 0.5, -0.5), left)
    labels = [(float(position), name) for position, name in enumerate(shown)]
    panel.axes(labels, labels, "Predicted class", "True class", has_y_grid=False)
    for true in range(size):
        for guess in range(size):
            if matrix[true, guess]:
                corners = [guess - 0.48], [guess + 0.48], [true + 0.48], [true - 0.48]
                panel.bars(*corners, _shade(shares[true, guess], BLUE if true == guess else RED))
                panel.text(guess, true, f"{matrix[true, guess]:,}", dy=0)
                panel.text(guess, true, f"{shares[true, guess]:.0%}", dy=12)
    return chart.svg()


def class_calibration_plot(
    classes: ArrayLike, probabilities: ArrayLike, names: Sequence[str], estimate: Estimate
) -> bytes:
    """Plot the share of rows of a class by its mean probability in ten bins of equal width, for the six most frequent
    classes; `estimate` is of log_loss.
    """
    title = estimate_title("Calibration: log loss", estimate)
    truth, values = np.asarray(classes, dtype=np.int64), np.asarray(probabilities, dtype=np.float64)
    if not len(truth):
        return blank_chart(title, NO_ROWS)
    chart = Chart(title)
    panel = chart.panel(TOP, BOTTOM, UNIT, UNIT)
    panel.axes(fractions(), fractions(), "Probability of the class", "Share of rows of the class")
    panel.line([0, 1], [0, 1], GREY, 1, "5 3", "perfectly calibrated")
    counts = np.bincount(truth, minlength=len(names))
    ranked = sorted(range(len(names)), key=lambda position: (-counts[position], position))[: len(CLASSES)]
    for position, colour in zip(sorted(ranked), CLASSES, strict=False):
        # Sorted, so that sums do not depend on the order of the rows.
        order = np.lexsort((truth, values[:, position]))
        scores, members = values[order, position], truth[order] == position
        bins = np.minimum((scores * BINS).astype(int), BINS - 1)
        rows = np.bincount(bins, minlength=BINS)
        filled = rows > 0
        mean = np.bincount(bins, weights=scores, minlength=BINS)[filled] / rows[filled]
        share = np.bincount(bins, weights=members, minlength=BINS)[filled] / rows[filled]
        panel.line(mean, share, colour, 1.5)
        panel.points(mean, share, colour, legend=f"{names[position]}, {counts[position]:,} rows")
    panel.legend(0.03, 0.98)
    return chart.svg()


def class_metrics_plot(estimates: Mapping[str, tuple[Estimate, Estimate]]) -> bytes:
    """Plot precision and recall of each class with their intervals.

    Args:
        estimates: (value, low, high) of precision and of recall, by class name.
    """
    chart, panel = feature_lines("Precision and recall of each class", list(estimates), UNIT, "Share")
    for side, (legend, colour) in enumerate([("precision", BLUE), ("recall", ORANGE)]):
        drawn = [
            (line + 0.24 * side - 0.12, both[side])
            for line, both in enumerate(estimates.values())
            if not np.isnan(both[side]).any()
        ]
        for line, (_, low, high) in drawn:
            panel.line([low, high], [line, line], colour, 1)
        if drawn:
            panel.points([estimate[0] for _, estimate in drawn], [line for line, _ in drawn], colour, legend=legend)
    panel.legend(0.03, 0.98)
    return chart.svg()


def _most_frequent(truth: NDArray, guessed: NDArray, names: Sequence[str]) -> tuple[list[str], NDArray, NDArray]:
    """Return the names of the classes shown, and true and predicted classes as positions among them."""
    short = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in map(str, names)]
    if len(names) <= MOST_CLASSES:
        return short, truth, guessed
    counts = np.bincount(truth, minlength=len(names))
    ranked = sorted(range(len(names)), key=lambda position: (-counts[position], position))
    kept = sorted(ranked[: MOST_CLASSES - 1])
    positions = np.full(len(names), len(kept))
    positions[kept] = np.arange(len(kept))
    return [*(short[position] for position in kept), OTHERS], positions[truth], positions[guessed]


def _shade(share: float, colour: str) -> str:
    """Mix a colour with white; a share of 1 gives the colour itself."""
    parts = [int(colour[first : first + 2], 16) for first in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * (0.15 + 0.85 * share)):02x}" for part in parts)
