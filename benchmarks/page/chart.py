"""Pictures of results: bars by contender on a logarithmic scale, and growth as lines."""

import re
import textwrap
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.figure import Figure

from benchmarks.harness.results import CONTENDERS, DAGSTER, FLOOR, OURS, Result, format_figure
from ml_assets.core.plots.colours import BLUE, GREY, ORANGE

COLOURS = {OURS: BLUE, FLOOR: GREY, DAGSTER: ORANGE}
SIZE = re.compile(r"([\d,]+) days of ([\d,]+) rows")


def bar_chart(results: Sequence[Result]) -> bytes:
    """Draw a group of horizontal bars for each result; return PNG bytes."""
    figure = Figure(figsize=(9, 1.2 + 0.75 * len(results)), dpi=100, layout="constrained")
    axes = figure.subplots()
    for position, name in enumerate(CONTENDERS):
        rows = [(row, value) for row, result in enumerate(results) if (value := result.figure(name)) is not None]
        places = [row + 0.26 * (position - 1) for row, _ in rows]
        bars = axes.barh(places, [seconds for _, seconds in rows], 0.24, color=COLOURS[name], label=name)
        axes.bar_label(bars, [f" {format_figure(seconds)}" for _, seconds in rows], fontsize=7)
    axes.set_yticks(np.arange(len(results)), [textwrap.fill(result.title, 44) for result in results], fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("seconds, logarithmic", fontsize=9)
    axes.margins(x=0.08)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return _png(figure)


def growth_chart(results: Sequence[Result]) -> bytes:
    """Draw seconds by rows a day, of the fewest days, and by number of days, of the fewest rows; return PNG bytes."""
    sizes = [size_of(result) for result in results]
    few_days, few_rows = min(days for days, _ in sizes), min(rows for _, rows in sizes)
    figure = Figure(figsize=(9, 3.4), dpi=100, layout="constrained")
    panels = figure.subplots(1, 2)
    by_rows = [(rows, result) for (days, rows), result in zip(sizes, results, strict=True) if days == few_days]
    by_days = [(days, result) for (days, rows), result in zip(sizes, results, strict=True) if rows == few_rows]
    titles = (f"rows a day, {few_days} days", f"days, {few_rows:,} rows a day")
    for axes, points, title in zip(panels, (by_rows, by_days), titles, strict=True):
        for name in CONTENDERS:
            places = sorted((size, value) for size, result in points if (value := result.figure(name)) is not None)
            axes.plot(*zip(*places, strict=True), "o-", color=COLOURS[name], label=name)
        axes.set(xscale="log", yscale="log", xlabel=title)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("seconds")
    panels[0].legend(fontsize=8)
    return _png(figure)


def size_of(result: Result) -> tuple[int, int]:
    """Return days and rows a day from the title of a result.

    Raises:
        ValueError: when the title names none.
    """
    named = SIZE.search(result.title)
    if named is None:
        raise ValueError(f"{result.title!r} names no days and rows")
    days, rows = (int(number.replace(",", "")) for number in named.groups())
    return days, rows


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
