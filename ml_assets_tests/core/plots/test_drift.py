"""Drift plots are SVG, the same for the same input, even with little to draw."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest

from ml_assets.core.checks.drift import measure_drift
from ml_assets.core.model_spec.checks.drift_checks import ColumnDriftCheck
from ml_assets.core.plots.colours import BLUE, GREY, RED
from ml_assets.core.plots.drift import drift_plot
from ml_assets.core.profiling.drift import ColumnDrift
from ml_assets_tests.core.profiling.profile_cases import DAY, days_before, normal, profile_of

SVG = "{http://www.w3.org/2000/svg}"
TIMES = pa.array((normal(1) * 1e8).astype(np.int64), pa.timestamp("us", "UTC"))
COLUMNS = {
    "number": (normal(1), normal(2) + 30),
    "negative": (-normal(1), normal(2)),
    "category": (["a", "b"] * 50, ["a", "c"] * 50),
    "name": ([f"name {number}" for number in range(500)], [f"{number}" for number in range(500)]),
    "time": (TIMES, TIMES),
    "gone": (pa.array([1.0]), pa.array([None], pa.float64())),
    "seventh": (normal(1), normal(2)),
}


def drift_of(*names: str) -> list[ColumnDrift]:
    columns = {name: COLUMNS[name] for name in names}
    return measure_drift(
        {name: replace(profile_of(day), name=name) for name, (_, day) in columns.items()},
        {name: dict.fromkeys(days_before(5), profile_of(before)) for name, (before, _) in columns.items()},
        ColumnDriftCheck(),
        DAY,
    )


def texts(plot: bytes) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(plot).iter(f"{SVG}text")]


def test_columns_of_every_kind_are_drawn_the_same_each_time():
    drifts = drift_of(*COLUMNS)
    plot = drift_plot(drifts, "column_drift of 2025-01-15")
    assert plot == drift_plot(drifts, "column_drift of 2025-01-15")
    titles = [text for text in texts(plot) if "5 days" in text]
    assert [title.split(":")[0] for title in titles] == [drift.name for drift in drifts[:6]]


def test_a_panel_has_the_measures_that_are_not_zero_and_is_red_where_one_exceeds_its_bound():
    plot = ElementTree.fromstring(drift_plot(drift_of("number", "seventh"), "column_drift of 2025-01-15"))
    titles = {text.text: text.attrib["fill"] for text in plot.iter(f"{SVG}text") if "5 days" in (text.text or "")}
    assert titles == {
        "number: psi 6.07, ks 0.853 (5 days)": RED,
        "seventh: psi 0.00946, ks 0.02 (5 days)": "black",
    }


def test_the_day_is_an_outline_over_the_bars_of_the_reference():
    plot = ElementTree.fromstring(drift_plot(drift_of("category"), "column_drift of 2025-01-15"))
    bars, outline = [path.attrib for path in plot.iter(f"{SVG}path") if path.attrib.get("stroke") in (None, BLUE)]
    # Half of the reference each: a and b; of the day: a, no b, and c, which is one of all others.
    assert (bars["fill"], bars["d"].count("z")) == (GREY, 2)
    assert outline["d"].count("L") == 7


@pytest.mark.parametrize(("length", "is_slanted"), [(2, False), (14, True)])
def test_names_slant_where_they_would_run_into_each_other(monkeypatch, length, is_slanted):
    names = [letter * length for letter in "abc"] * 34
    monkeypatch.setitem(COLUMNS, "merchant", (names, names))
    plot = drift_plot(drift_of("merchant"), "column_drift of 2025-01-15")
    assert (b"rotate(-40" in plot) is is_slanted
    assert "a" * length in texts(plot)


def test_a_plot_without_columns_says_so():
    assert texts(drift_plot([], "column_drift")) == ["column_drift", "There is nothing to compare"]
