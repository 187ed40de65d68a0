"""Drift plots are PNGs, the same for the same input, even with little to draw."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from ml_assets.core.checks.drift import measure_drift
from ml_assets.core.model_spec.checks import ColumnDriftCheck
from ml_assets.core.plots.drift import drift_plot
from ml_assets_tests.core.profiling.profile_cases import DAY, days_before, normal, profile_of

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


def test_columns_of_every_kind_are_drawn_the_same_each_time():
    profiles = {name: replace(profile_of(day), name=name) for name, (_, day) in COLUMNS.items()}
    drifts = measure_drift(
        profiles,
        {name: dict.fromkeys(days_before(5), profile_of(before)) for name, (before, _) in COLUMNS.items()},
        ColumnDriftCheck(),
        DAY,
    )
    assert len(drifts) == len(COLUMNS)
    plot = drift_plot(drifts, "column_drift of 2025-01-15")
    assert plot.startswith(b"\x89PNG")
    assert plot == drift_plot(drifts, "column_drift of 2025-01-15")
    assert drift_plot(drifts[-1:], "one").startswith(b"\x89PNG")


def test_a_plot_without_columns_is_drawn():
    assert drift_plot([], "column_drift").startswith(b"\x89PNG")
