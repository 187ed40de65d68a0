"""The SHAP summary plot: the contributions of each feature to the log odds of many rows."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.core.plots.chart import blank_chart
from ml_assets.core.plots.colours import GREY, LOW_TO_HIGH, channels
from ml_assets.core.plots.feature_lines import feature_lines

MAX_ROWS, MAX_FEATURES = 500, 15
# Number of parts of the axis; points within the same part are stacked.
AXIS_PARTS = 120
# Number of colours of the values of a feature, from the lowest to the highest.
LEVELS = 16


def sampled_rows(rows: int, seed: int) -> NDArray[np.int64]:
    """Return the ascending positions of the rows to explain: all rows, or a random sample if there are more than
    MAX_ROWS."""
    if rows <= MAX_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MAX_ROWS, replace=False))


def contribution_plot(
    contributions: NDArray, frame: pd.DataFrame, features: Sequence[str], rows: int, unit: str = "log odds"
) -> bytes:
    """Plot a row of points for each of the most influential features: one point for each row of data, at its SHAP
    value.

    The colour is the rank of the value among the values of the feature, from low (blue) to high (red); missing values
    and categories are grey. Points that would overlap are stacked, so the thickness shows the number of rows. This is
    the beeswarm plot of Lundberg et al., From local explanations to global understanding with explainable AI for trees,
    2020. Features are ordered by the mean of the absolute SHAP values.

    Args:
        contributions: contribution of each feature, shape (sampled rows, features).
        frame: the features of the sampled rows.
        features: names of the columns of `contributions`.
        rows: number of rows that the sample was drawn from, for the title.
        unit: unit of the contributions, which for a regression is that of the prediction or, for poisson, tweedie and
            gamma, of its logarithm.
    """
    strength = np.abs(contributions).mean(axis=0) if len(contributions) else np.zeros(len(features))
    plotted = sorted(range(len(features)), key=lambda index: (-strength[index], features[index]))[:MAX_FEATURES]
    row_count = f"{len(contributions):,} of {rows:,}" if len(contributions) < rows else f"{rows:,}"
    title = f"What features add to the {unit} of {row_count} rows"
    if not strength.any():
        return blank_chart(title, "There are no rows" if not len(contributions) else "No feature adds anything")
    names = [features[index] for index in plotted]
    parts = np.round(contributions / (np.ptp(contributions) or 1.0) * AXIS_PARTS)
    heights = [line + _offsets(parts[:, index]) for line, index in enumerate(plotted)]
    colours = np.concatenate([_colours(frame[name]) for name in names])
    low, high = contributions.min(), contributions.max()
    margin = 0.03 * (high - low or 1.0)
    label = f"SHAP value in {unit} (blue: low values, red: high ones)"
    chart, panel = feature_lines(title, names, (low - margin, high + margin), label)
    if low <= 0 <= high:
        panel.line([0, 0], [-0.6, len(names) - 0.4], GREY, 0.8)
    x, y = contributions[:, plotted].T.ravel(), np.concatenate(heights)
    for colour in np.unique(colours):
        chosen = colours == colour
        panel.points(x[chosen], y[chosen], str(colour), 2.6)
    return chart.svg()


def _colours(values: pd.Series) -> NDArray[np.str_]:
    """Return the colour of each value of a feature by its rank; grey if missing or a category."""
    ranks = _ranks(values)
    levels = np.round(np.nan_to_num(ranks) * (LEVELS - 1)).astype(int)
    return np.where(np.isnan(ranks), GREY, _palette()[levels])


@cache
def _palette() -> NDArray[np.str_]:
    """Return the colours of the levels, from the lowest to the highest."""
    levels = np.arange(LEVELS) / (LEVELS - 1)
    by_channel = [
        np.interp(levels, (0, 0.5, 1), channel).round().astype(int)
        for channel in zip(*map(channels, LOW_TO_HIGH), strict=True)
    ]
    return np.array([f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in zip(*by_channel, strict=True)])


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
