"""Shares of classes, and mean and quantiles of a regression, fail when they are unlike those of earlier days."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from ml_assets.core.checks.target_rates import count_label, evaluate_targets, summarize
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.data_checks import LabelRateCheck
from ml_assets.core.profiling.profiles import Profile, profile_columns, read_profiles
from ml_assets_tests.support.changed_spec import with_task

DAY = date(2025, 3, 1)
EARLIER = [DAY - timedelta(days=back) for back in range(1, 29)]


def profile_of(values, day=DAY) -> Profile:
    profiles = profile_columns(pa.table({"label": values}), "UTC")
    return read_profiles(profiles.add_column(0, "day", pa.array([day], pa.date32())))[day]["label"]


@pytest.fixture
def regression(small) -> ModelSpec:
    return ModelSpec.model_validate(
        with_task(small, "regression", columns={**small["columns"], "label": {"type": "number", "nullable": True}})
    )


@pytest.fixture
def multiclass(small) -> ModelSpec:
    columns = {**small["columns"], "label": {"type": "string"}}
    return ModelSpec.model_validate(with_task(small, "multiclass", columns=columns, classes=["bus", "car"]))


def delays(day: date, factor: float = 1.0, rows: int = 200) -> Profile:
    """Delays of a day, which are longer at weekends."""
    random = np.random.default_rng(day.toordinal())
    weekend = 1.6 if day.weekday() >= 5 else 1.0
    return profile_of(random.gamma(2, 10 * weekend, rows) * factor, day)


def modes(day: date, share: float, rows: int = 500) -> Profile:
    random = np.random.default_rng(day.toordinal())
    return profile_of(np.where(random.random(rows) < share, "bus", "car").astype(object), day)


@pytest.mark.parametrize("number", range(14))
def test_the_target_of_a_usual_day_passes(regression, number):
    day = DAY + timedelta(days=number)
    reference = {day - timedelta(days=back): delays(day - timedelta(days=back)) for back in range(1, 29)}
    outcome = evaluate_targets(regression, LabelRateCheck(), day, delays(day), reference)
    assert outcome.passed, outcome.reason


@pytest.mark.parametrize("weeks", [1, 2, 3])
@pytest.mark.parametrize("rise", [0.1, 0.5, 2])
def test_an_early_weekend_of_a_weekly_course_passes_and_in_another_unit_it_fails(regression, weeks, rise):
    saturday = date(2025, 3, 8)
    # From a Monday on, so that one to three weekends were before.
    days = [saturday - timedelta(days=back) for back in range(7 * weeks + 5, 0, -1)]
    reference = {day: delays(day, rise if day.weekday() >= 5 else 1) for day in days}
    usual = evaluate_targets(regression, LabelRateCheck(), saturday, delays(saturday, rise), reference)
    assert usual.passed, usual.reason
    broken = evaluate_targets(regression, LabelRateCheck(), saturday, delays(saturday, 60 * rise), reference)
    assert broken.passed is False


@pytest.mark.parametrize("factor", [60, 1 / 60, -1])
def test_a_target_in_another_unit_fails(regression, factor):
    outcome = evaluate_targets(
        regression, LabelRateCheck(), DAY, delays(DAY, factor), {day: delays(day) for day in EARLIER}
    )
    assert outcome.failed
    assert "times the usual distance" in outcome.reason or "off by more than a factor of 5" in outcome.reason


def test_a_day_of_equal_labels_fails_unless_an_earlier_day_was_like_it(regression):
    # The usual distance of these days is so large that each of their quantiles may be 20.
    reference = {day: delays(day, factor=1 + day.day % 3) for day in EARLIER}
    equal = profile_of([20.0] * 200)
    outcome = evaluate_targets(regression, LabelRateCheck(), DAY, equal, reference)
    assert (outcome.passed, outcome.reason.split(";")[0]) == (False, "all 200 labels are 20")
    reference[EARLIER[0]] = equal
    assert "all 200 labels" not in evaluate_targets(regression, LabelRateCheck(), DAY, equal, reference).reason
    few = profile_of([20.0] * 3)
    assert "all 3 labels" not in evaluate_targets(regression, LabelRateCheck(), DAY, few, reference).reason


def test_a_few_labels_do_not_fail_by_chance(regression):
    reference = {day: delays(day) for day in EARLIER}
    assert evaluate_targets(regression, LabelRateCheck(), DAY, profile_of([55.0, 3.0, 1.0]), reference).passed


def test_without_labels_or_earlier_days_nothing_is_evaluated(regression):
    assert evaluate_targets(regression, LabelRateCheck(), DAY, None, {}).passed is None
    assert evaluate_targets(regression, LabelRateCheck(), DAY, delays(DAY), {}).passed is None
    missing = profile_of(pa.array([None, None], pa.float64()))
    assert evaluate_targets(regression, LabelRateCheck(), DAY, missing, {}).passed is None


def test_a_summary_has_the_quantiles_of_the_values():
    values = np.random.default_rng(0).gamma(2, 10, 5_000)
    summary = summarize(profile_of(values))
    assert summary.mean == pytest.approx(values.mean())
    assert summary.quantiles == pytest.approx(np.quantile(values, [0.1, 0.5, 0.9]), rel=0.04)
    assert summary.deviation == pytest.approx(values.std(), rel=0.04)


@pytest.mark.parametrize(("share", "passed"), [(0.3, True), (0.35, True), (0.01, False), (0.0, False)])
def test_each_class_is_as_frequent_as_before(multiclass, share, passed):
    outcome = evaluate_targets(
        multiclass, LabelRateCheck(), DAY, modes(DAY, share), {day: modes(day, 0.3) for day in EARLIER}
    )
    assert outcome.passed is passed
    assert "of class bus" in outcome.reason


def test_bounds_apply_to_each_class(multiclass):
    outcome = evaluate_targets(multiclass, LabelRateCheck(minimum=0.4), DAY, modes(DAY, 0.3), {})
    assert outcome.failed
    assert "less than the minimum" in outcome.reason


@pytest.mark.parametrize(
    ("values", "label", "count"), [(["no", "yes", "yes"], "yes", 2), ([1, 2, 2], 2, 2), ([True, False, True], True, 2)]
)
def test_rows_of_a_label_are_counted(values, label, count):
    assert count_label(profile_of(values), label).positives == count
