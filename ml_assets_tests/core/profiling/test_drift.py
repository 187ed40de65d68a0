"""Drift measures equal those of scipy, exceed their bounds if a column changed, and not if chance explains it."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model_spec.checks.drift_checks import ColumnDriftCheck, DriftCheck
from ml_assets.core.profiling import drift
from ml_assets.core.profiling.drift import column_drift
from ml_assets.core.profiling.histograms import from_sorted, number_bins
from ml_assets.core.profiling.reference_profile import merge_profiles
from ml_assets_tests.core.profiling.profile_cases import normal, profile_of

BOUNDS = DriftCheck()
BEFORE = [normal(seed) for seed in range(1, 8)]
NUMBERS = merge_profiles([profile_of(values) for values in BEFORE])


def exceeded(values, reference, bounds: DriftCheck = BOUNDS, kind=None) -> list[str]:
    return [distance.name for distance in column_drift(profile_of(values, kind), reference, bounds).exceeded]


def texts(seed: int, rows: int = 1000, shares=(0.5, 0.3, 0.2), names=("café", "thé", "pain")) -> list[str]:
    return np.random.default_rng(seed).choice(names, rows, p=shares).tolist()


CATEGORIES = merge_profiles([profile_of(texts(seed)) for seed in range(1, 8)])


def test_the_same_source_does_not_drift():
    assert exceeded(normal(9), NUMBERS) == []
    assert exceeded(texts(9), CATEGORIES) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x * 100,
        lambda x: x / 100,
        lambda x: x + 10,
        lambda x: -x,
        lambda x: np.full_like(x, np.median(x)),
        lambda x: (x - 100) * 4 + 100,
    ],
    ids=["times 100", "by 100", "shifted", "negative", "one value", "wider"],
)
def test_changed_numbers_are_beyond_bounds(change):
    assert "psi" in exceeded(change(normal(9)), NUMBERS)


def test_a_shift_is_beyond_the_ks_bound_and_its_p_value_is_tiny():
    measured = column_drift(profile_of(normal(9, mean=110)), NUMBERS, BOUNDS)
    assert "ks" in [distance.name for distance in measured.exceeded]
    assert measured.p_values["ks"] < 1e-100
    assert column_drift(profile_of(normal(9)), NUMBERS, BOUNDS).p_values["ks"] > 0.01


def test_half_of_the_values_missing_is_beyond_the_bound():
    values = [value if number % 2 else None for number, value in enumerate(normal(9))]
    assert exceeded(values, NUMBERS) == ["missing"]
    assert exceeded([None] * 100, NUMBERS, kind=pa.float64()) == ["missing"]


@pytest.mark.parametrize("rows", [1, 3, 10, 30])
def test_small_days_do_not_alarm(rows):
    assert not any(exceeded(normal(seed, rows), NUMBERS) for seed in range(100, 140))
    assert not any(exceeded(texts(seed, rows), CATEGORIES) for seed in range(100, 140))


@given(st.integers(0, 10**6), st.integers(1, 3000), st.sampled_from([1, 2, 5, 20]))
def test_days_of_one_source_do_not_alarm_whatever_their_size_and_number_of_distinct_values(seed, rows, distinct):
    random = np.random.default_rng(seed)
    days = [random.integers(0, distinct, count).astype(float) for count in (rows, 50, 200, 1000, 300, 40)]
    assert exceeded(days[0], merge_profiles([profile_of(day) for day in days[1:]])) == []


def test_a_column_of_one_value_drifts_to_another_value_only():
    constant = merge_profiles([profile_of([1] * 500)] * 5)
    assert exceeded([1] * 500, constant) == []
    assert exceeded([2] * 500, constant) == ["psi", "ks"]
    assert exceeded([0] * 500, constant) == ["psi", "ks"]


def test_categories_that_were_never_seen_and_a_single_one_drift():
    assert exceeded(["nothing known"] * 500, CATEGORIES) == ["psi", "cramers_v"]
    assert "cramers_v" in exceeded(["café"] * 500, CATEGORIES)
    measured = column_drift(profile_of(texts(9, shares=(0.2, 0.2, 0.6))), CATEGORIES, BOUNDS)
    assert [distance.name for distance in measured.exceeded] == ["psi", "cramers_v"]
    assert measured.p_values["cramers_v"] < 1e-50


@pytest.mark.parametrize(
    "wrong", [lambda text: text.encode().decode("latin-1"), lambda text: text.encode().decode("ascii", "replace")]
)
def test_texts_in_a_wrong_encoding_drift_however_few_are_beyond_ascii(wrong):
    assert "broken_text" in exceeded([wrong(text) for text in texts(9)], CATEGORIES)
    rare = {"shares": (0.08, 0.0, 0.92)}
    assert "broken_text" in exceeded(
        [wrong(text) for text in texts(9, **rare)],
        merge_profiles([profile_of(texts(seed, **rare)) for seed in range(1, 8)]),
    )


def test_names_are_judged_by_length_and_alphabet_and_not_as_categories():
    def names(day: int, form: str = "customer {}") -> list[str]:
        return [form.format(day * 1000 + number) for number in range(1000)]

    known = merge_profiles([profile_of(names(day)) for day in range(1, 8)])
    assert exceeded(names(8), known) == []
    assert "psi" in exceeded(names(8, "{}"), known)
    assert "non_ascii" in exceeded(names(8, "cliént№{}"), known)


def test_the_time_of_day_has_a_bound_of_its_own():
    def times(seed: int, later: int = 0) -> pa.Array:
        seconds = np.random.default_rng(seed).normal(43_200, 15_000, 5000).clip(0, 80_000) + later
        return pa.array((seconds * 1e6).astype(np.int64), pa.timestamp("us", "UTC"))

    weekday = merge_profiles([profile_of(times(seed)) for seed in (1, 2, 3)])
    assert exceeded(times(9), weekday, ColumnDriftCheck()) == []
    assert exceeded(times(9, 3600), weekday, ColumnDriftCheck()) == ["ks"]
    assert exceeded(times(9, 3600), weekday, ColumnDriftCheck(time_of_day=None)) == []


def test_a_bound_that_is_null_is_not_applied():
    nothing = DriftCheck(psi=None, ks=None, cramers_v=None, missing=None)
    assert exceeded(normal(9) * 100, NUMBERS, nothing) == []
    assert column_drift(profile_of(normal(9) * 100), NUMBERS, nothing).excess == 0.0


def test_the_formulas_are_those_of_scipy():
    from scipy.stats import chi2_contingency, entropy, ks_2samp
    from scipy.stats.contingency import association

    measured, expected = np.array([0.1, 0.2, 0.7]), np.array([0.3, 0.3, 0.4])
    assert drift.population_stability_index(measured, expected, 1e9, 1e9) == pytest.approx(
        entropy(measured, expected) + entropy(expected, measured)
    )
    table = np.array([measured * 500, expected * 2000]).round().astype(int)
    statistic, p_value, _, _ = chi2_contingency(table)
    assert drift.chi_square(measured, expected, 500, 2000) == pytest.approx((statistic, p_value))
    assert drift.cramers_v(measured, expected) == pytest.approx(
        association((np.array([measured, expected]) * 1000).round().astype(int), "cramer")
    )
    first, second = normal(1, 300), normal(2, 500, mean=104)
    exact = ks_2samp(first, second, method="asymp")
    histograms = [from_sorted(number_bins(np.sort(values))).shares() for values in (first, second)]
    assert drift.ks_distance(*histograms) == pytest.approx(exact.statistic, abs=0.05)
    whole = [np.round(values / 4) for values in (first, second)]
    histograms = [from_sorted(number_bins(np.sort(values))).shares() for values in whole]
    exact = ks_2samp(*whole, method="asymp")
    assert drift.ks_distance(*histograms) == pytest.approx(exact.statistic)
    assert drift.ks_p_value(exact.statistic, 300, 500) == pytest.approx(exact.pvalue, rel=0.5)


def test_tenths_of_the_reference_hold_a_tenth_each_and_frequent_values_are_cells_of_their_own():
    _, expected = drift.number_cells(NUMBERS.histogram, NUMBERS.histogram)
    assert expected == pytest.approx(np.full(10, 0.1), abs=0.06)
    mostly_zero = merge_profiles([profile_of([0.0] * 90 + [1.0, 2.0, 3.0, 4.0, 5.0] * 2)] * 5)
    measured, expected = drift.number_cells(
        merge_profiles([profile_of([-1.0, 0.0, 4.0, 4.0])]).histogram, mostly_zero.histogram
    )
    assert measured.tolist() == [0.25, 0.25, 0.5]
    assert expected == pytest.approx([0.0, 0.9, 0.1])


def ids(people: int, seed: int, rows: int = 2000) -> np.ndarray:
    return (
        np.random.default_rng(seed)
        .integers(0, 1_000_000, people)[np.random.default_rng(seed + 1).integers(0, people, rows)]
        .astype(float)
    )


def test_keys_of_the_same_range_that_were_swapped_are_told_by_how_many_there_are():
    before, bounds = merge_profiles([profile_of(ids(800, seed)) for seed in range(7)]), ColumnDriftCheck()
    assert exceeded(ids(800, 20), before, bounds) == []
    assert exceeded(ids(5000, 20), before, bounds) == ["distinct"]


def test_with_other_numbers_of_rows_different_values_are_not_compared():
    before = merge_profiles([profile_of(ids(800, seed)) for seed in range(7)])
    assert "distinct" not in exceeded(ids(800, 20, rows=20_000), before, ColumnDriftCheck())
