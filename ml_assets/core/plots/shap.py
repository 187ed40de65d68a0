"""The SHAP summary plot: the contributions of each feature to the log odds of many rows."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.core.plots.figure import GREY, blank_plot
from ml_assets.core.plots.frame import Frame
from ml_assets.core.plots.lines import label_lines, lines_figure

MAX_ROWS, MAX_FEATURES = 500, 15
# The axis is divided into this many parts; points within the same part are stacked.
AXIS_PARTS = 120
# Ends of the axis, times a power of ten; the last is for a number that is rounded to just below its power.
STEPS = (1, 1.5, 2, 3, 4, 6, 8, 10, 10.1)
COLOURS = ["#2f6db3", "#8d6fa8", "#c23b3b"]


def sampled_rows(rows: int, seed: int) -> NDArray[np.int64]:
    """Return the ascending positions of the rows to explain: all up to MAX_ROWS, else a random sample of that size."""
    if rows <= MAX_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MAX_ROWS, replace=False))


def contribution_plot(contributions: NDArray, frame: pd.DataFrame, features: Sequence[str], rows: int) -> bytes:
    """Plot a line of points for each of the most influential features: one point for each row, at its SHAP value.

    The colour is the rank of the value among the values of the feature, from low (blue) to high (red); missing values
    and categories are grey. Points that would overlap are stacked, so the thickness of a line shows the number of rows.
    This is the beeswarm plot of Lundberg et al., From local explanations to global understanding with explainable AI
    for trees, 2020. Features are ordered by the mean of the absolute SHAP values.

    Args:
        contributions: contribution of each feature, shape (sampled rows, features), in log odds.
        frame: the features of the sampled rows.
        features: names of the columns of `contributions`.
        rows: number of rows that the sample was drawn from, for the title.
    """
    from matplotlib.colors import LinearSegmentedColormap

    strength = np.abs(contributions).mean(axis=0) if len(contributions) else np.zeros(len(features))
    plotted = sorted(range(len(features)), key=lambda index: (-strength[index], features[index]))[:MAX_FEATURES]
    row_count = f"{len(contributions):,} of {rows:,}" if len(contributions) < rows else f"{rows:,}"
    title = f"What features add to the log odds of {row_count} rows"
    if not strength.any():
        return blank_plot(title, "There are no rows" if not len(contributions) else "No feature adds anything")
    names = [features[index] for index in plotted]
    parts = np.round(contributions / (np.ptp(contributions) or 1.0) * AXIS_PARTS)
    heights = [line + _offsets(parts[:, index]) for line, index in enumerate(plotted)]
    colours = LinearSegmentedColormap.from_list("low_to_high", COLOURS).with_extremes(bad=GREY)
    ranks = np.ma.masked_invalid([_ranks(frame[name]) for name in names])
    style = {"s": 4, "linewidths": 0, "cmap": colours, "vmin": 0, "vmax": 1, "plotnonfinite": True}
    low, high = (_outward(value) for value in (contributions.min(initial=0), contributions.max(initial=0)))
    plot = _frame(len(names), max(map(len, names)), low, high)
    (axes,) = plot.clear()
    axes.scatter(contributions[:, plotted].T.ravel(), np.concatenate(heights), c=ranks.ravel(), **style)
    label_lines(axes, names)
    return plot.render(title, title_location="right")


@lru_cache(4)
def _frame(features: int, longest: int, low: float, high: float) -> Frame:
    figure, axes = lines_figure(features, longest, 1.0 + 0.28 * features)
    margin = 0.02 * (high - low)
    axes.set(xlim=(low - margin, high + margin))
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_xlabel(
        "SHAP value in log odds; colour: value of the feature, low (blue) to high (red)", fontsize=9, loc="right"
    )
    return Frame(figure)


def _outward(value: float) -> float:
    """Round away from zero to one of few ends of an axis, so that models share frames."""
    if not value:
        return 0.0
    power = 10.0 ** np.floor(np.log10(abs(value)))
    return float(np.sign(value) * power * next(step for step in STEPS if step * power >= abs(value)))


def _ranks(values: pd.Series) -> NDArray[np.float64]:
    """Return the rank of each number among the values of a feature, from 0 to 1; NaN if missing or a category."""
    if not (pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype)):
        return np.full(len(values), np.nan)
    ranked = values.astype("Float64").rank(method="average").to_numpy(dtype=np.float64, na_value=np.nan)
    low, high = np.nanmin(ranked, initial=np.inf), np.nanmax(ranked, initial=-np.inf)
    return (ranked - low) / (high - low) if high > low else np.where(np.isnan(ranked), np.nan, 0.5)


def _offsets(parts: NDArray) -> NDArray[np.float64]:
    """Return the vertical offset of each point from its line, within 0.4.

    Points in the same part of the axis alternate around the line, in the order of the rows.
    """
    order = np.argsort(parts, kind="stable")
    begins = np.flatnonzero(np.diff(parts[order], prepend=np.nan))
    number = np.arange(len(parts)) - np.repeat(begins, np.diff(begins, append=len(parts)))
    steps = np.where(number % 2, -1, 1) * ((number + 1) // 2)
    offsets = np.empty(len(parts))
    offsets[order] = steps
    return offsets * 0.4 / max(np.abs(steps).max(), 8)
