"""A weekly season and days that always differ are not drift; a shift beyond both is."""

from datetime import date, timedelta

import numpy as np
import pytest

from ml_assets.core.checks.drift import measure_drift
from ml_assets.core.model_spec.checks.drift_checks import ColumnDriftCheck, DriftCheck
from ml_assets.core.profiling.profiles import Profile
from ml_assets_tests.core.profiling.profile_cases import profile_of

BOUNDS = DriftCheck(severity="warn")
FIRST = date(2026, 1, 5)
DAYS = [FIRST + timedelta(days=number) for number in range(56)]


def weekly(day: date, factor: float = 1.0) -> Profile:
    """Weekends have half the amounts of other days."""
    mean = 50.0 if day.weekday() >= 5 else 100.0
    return profile_of(np.random.default_rng(day.toordinal()).normal(mean, 20, 400) * factor)


def shocked(day: date, factor: float = 1.0) -> Profile:
    """Sixteen carriers, whose mean delay of the day is the value of all of its rows."""
    random = np.random.default_rng(day.toordinal())
    means = np.exp(random.normal(0, 0.3)) * random.gamma(4, 5, 16)
    return profile_of(means[random.integers(0, 16, 400)] * factor)


def is_drifted(simulate, day: date, factor: float = 1.0, reference: int = 28) -> bool:
    before = {other: simulate(other) for other in (day - timedelta(days=back) for back in range(1, reference + 1))}
    (drift,) = measure_drift({"a": simulate(day, factor)}, {"a": before}, BOUNDS, day) or [None]
    return bool(drift and drift.exceeded)


@pytest.mark.parametrize(("simulate", "most"), [(weekly, 0), pytest.param(shocked, 2, marks=pytest.mark.slow)])
def test_usual_days_of_a_seasonal_series_hardly_ever_drift(simulate, most):
    assert sum(is_drifted(simulate, day) for day in DAYS[-28:]) <= most


@pytest.mark.parametrize(("simulate", "factor"), [(weekly, 1.5), (weekly, 0.5), (weekly, 100.0), (shocked, 60.0)])
def test_a_change_of_unit_or_scale_drifts_on_every_weekday(simulate, factor):
    assert all(is_drifted(simulate, day, factor) for day in DAYS[-7:])


def test_a_weekday_with_values_of_the_weekend_drifts():
    monday = DAYS[-7]
    assert monday.weekday() == 0
    before = {other: weekly(other) for other in DAYS if other < monday}
    (drift,) = measure_drift({"a": weekly(DAYS[-8])}, {"a": before}, BOUNDS, monday)
    assert drift.exceeded
    (drift,) = measure_drift({"a": weekly(DAYS[-8])}, {"a": before}, BOUNDS, DAYS[-8])
    assert not drift.exceeded


def test_an_outlier_day_of_the_same_weekday_hides_no_shift():
    day = DAYS[-7]
    before = {other: weekly(other) for other in DAYS[-35:] if other < day}
    before[day - timedelta(days=7)] = weekly(day, 100.0)
    for factor, expected in ((1.0, False), (1.6, True)):
        (drift,) = measure_drift({"a": weekly(day, factor)}, {"a": before}, BOUNDS, day)
        assert bool(drift.exceeded) == expected


@pytest.mark.parametrize("weeks", [2, 3, 4])
def test_a_day_with_ten_times_the_rows_makes_no_other_day_of_its_weekday_drift(weeks):
    def customers(day: date, rows: int = 400) -> Profile:
        return profile_of(np.random.default_rng(day.toordinal()).integers(0, 600, rows).astype(float))

    day = DAYS[-7]
    before = {other: customers(other) for other in (day - timedelta(days=back) for back in range(1, 7 * weeks + 1))}
    before[day - timedelta(days=7)] = customers(day - timedelta(days=7), rows=4000)
    (drift,) = measure_drift({"a": customers(day)}, {"a": before}, ColumnDriftCheck(), day)
    assert not drift.exceeded
