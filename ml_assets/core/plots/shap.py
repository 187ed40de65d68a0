"""The summary picture of explanations: what each feature adds to the log odds of many rows, as PNG bytes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.core.plots.evaluation import GREY, blank_plot, canvas, name_axes, plot_bytes

MOST_ROWS, MOST_FEATURES = 1000, 15
# Points that lie within one of this many parts of the axis stand above each other.
PLACES = 120
COLOURS = ["#2f6db3", "#8d6fa8", "#c23b3b"]


def sampled_rows(rows: int, seed: int) -> NDArray[np.int64]:
    """The positions, ascending, of the rows that are explained: all of them up to MOST_ROWS, else as many, each row as
    likely as the others.
    """
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))


def contribution_plot(contributions: NDArray, frame: pd.DataFrame, features: Sequence[str], rows: int) -> bytes:
    """A line of points for each of the features that move scores most, the first moves most: a point for each row, by
    its SHAP value.

    The colour is the rank of the value among the values of the feature, from low (blue) to high (red); missing values
    and categories are grey. Points that would cover each other stand above each other, so a line is as thick as it
    holds rows. It is the beeswarm of Lundberg et al., From local explanations to global understanding with explainable
    AI for trees, 2020. Features are ordered by the mean of the absolute SHAP values.

    Args:
        contributions: what each feature adds to the log odds, shape (sampled rows, features), in log odds.
        frame: the features of the sampled rows.
        features: names of the columns of `contributions`.
        rows: how many rows the sample is of, for the title.
    """
    from matplotlib.colors import LinearSegmentedColormap

    strength = np.abs(contributions).mean(axis=0) if len(contributions) else np.zeros(len(features))
    shown = sorted(range(len(features)), key=lambda which: (-strength[which], features[which]))[:MOST_FEATURES]
    of_how_many = f"{len(contributions):,} of {rows:,}" if len(contributions) < rows else f"{rows:,}"
    figure, (axes,) = canvas(f"What features add to the log odds of {of_how_many} rows")
    if not strength.any():
        return blank_plot(figure, "There are no rows" if not len(contributions) else "No feature adds anything")
    height = 1.0 + 0.28 * len(shown)
    figure.set_size_inches(6, height)
    longest = max(len(features[which]) for which in shown)
    figure.subplots_adjust(left=min(0.03 + 0.0099 * longest, 0.6), bottom=0.45 / height, top=1 - 0.35 / height)
    colours = LinearSegmentedColormap.from_list("low_to_high", COLOURS).with_extremes(bad=GREY)
    places = np.round(contributions / (np.ptp(contributions) or 1.0) * PLACES)
    heights = [line + _offsets(places[:, which]) for line, which in enumerate(shown)]
    ranks = np.ma.masked_invalid([_ranks(frame[features[which]]) for which in shown])
    drawn = {"s": 4, "linewidths": 0, "cmap": colours, "vmin": 0, "vmax": 1, "plotnonfinite": True}
    axes.scatter(contributions[:, shown].T.ravel(), np.concatenate(heights), c=ranks.ravel(), **drawn)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set(yticks=range(len(shown)), yticklabels=[features[which] for which in shown], ylim=(len(shown) - 0.4, -0.6))
    name_axes(axes, "SHAP value in log odds; colour: value of the feature, low (blue) to high (red)", "")
    axes.tick_params(axis="y", labelsize=7, length=0)
    return plot_bytes(figure)


def _ranks(values: pd.Series) -> NDArray[np.float64]:
    """The rank of each number among the values of a feature, from 0 to 1; NaN where there is none, or where it is a
    category.
    """
    if not (pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype)):
        return np.full(len(values), np.nan)
    ranked = values.astype("Float64").rank(method="average").to_numpy(dtype=np.float64, na_value=np.nan)
    low, high = np.nanmin(ranked, initial=np.inf), np.nanmax(ranked, initial=-np.inf)
    return (ranked - low) / (high - low) if high > low else np.where(np.isnan(ranked), np.nan, 0.5)


def _offsets(places: NDArray) -> NDArray[np.float64]:
    """How far above or below its line each point stands, within 0.4: points of one place alternate around the line in
    the order of the rows.
    """
    order = np.argsort(places, kind="stable")
    begins = np.flatnonzero(np.diff(places[order], prepend=np.nan))
    number = np.arange(len(places)) - np.repeat(begins, np.diff(begins, append=len(places)))
    steps = np.where(number % 2, -1, 1) * ((number + 1) // 2)
    offsets = np.empty(len(places))
    offsets[order] = steps
    return offsets * 0.4 / max(np.abs(steps).max(), 8)
