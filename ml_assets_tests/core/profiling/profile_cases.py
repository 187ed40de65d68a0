"""Shared helpers of the tests of profiles and drift: profiles of columns given as lists."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from ml_assets.core.profiling.profiles import Profile, profile_columns, read_profiles

DAY = date(2025, 1, 15)


def stored(day: date, profiles: pa.Table) -> pa.Table:
    """Add the column `day`, as in a table of the lake."""
    return profiles.add_column(0, "day", pa.repeat(pa.scalar(day, pa.date32()), profiles.num_rows))


def profile_of(values, kind: pa.DataType | None = None, time_zone: str = "UTC") -> Profile:
    """Profile one column."""
    return read_profiles(stored(DAY, profile_columns(pa.table({"x": pa.array(values, kind)}), time_zone)))[DAY]["x"]


def normal(seed: int, rows: int = 2000, mean: float = 100.0) -> np.ndarray:
    """Draw normal numbers with a standard deviation of 10, the same each time."""
    return np.random.default_rng(seed).normal(mean, 10.0, rows)


def days_before(count: int) -> list[date]:
    """Return the days before DAY, the newest first."""
    return [DAY - timedelta(days=back) for back in range(1, count + 1)]
