"""The share of positives: bounds hold, a share unlike before fails, and few positives prove nothing."""

from datetime import date, timedelta

import numpy as np
import pytest

from ml_assets.core.checks.label_rate import LabelCounts, evaluate_label_rate
from ml_assets.core.model_spec.checks import LabelRateCheck

DAY = date(2025, 3, 1)


def before(positives: int, labelled: int, days: int = 28) -> dict[date, LabelCounts]:
    return {DAY - timedelta(days=back): LabelCounts(positives, labelled) for back in range(1, days + 1)}


def evaluate_gates(
    positives: int, labelled: int = 10_000, reference: dict[date, LabelCounts] | None = None, **settings
):
    reference = before(80, 10_000) if reference is None else reference
    return evaluate_label_rate(LabelRateCheck(**settings), DAY, LabelCounts(positives, labelled), reference)


@pytest.mark.parametrize(
    ("positives", "passed"),
    [(80, True), (20, True), (390, True), (12, False), (0, False), (450, False), (9_920, False)],
)
def test_a_rate_unlike_that_of_the_days_before_fails(positives, passed):
    found = evaluate_gates(positives)
    assert found.passed is passed
    assert found.reason.startswith(f"{positives:,} of 10,000 labelled rows are positive")
    assert "0.800% on the 28 days from 2025-02-01 to 2025-02-28" in found.reason


def test_turned_labels_fail():
    assert evaluate_gates(9_920).failed


@pytest.mark.parametrize(("positives", "settings"), [(80, {"minimum": 0.01}), (80, {"maximum": 0.005})])
def test_bounds_hold_whatever_the_days_before_were(positives, settings):
    assert evaluate_gates(positives, reference={}, **settings).failed


def test_within_its_bounds_a_rate_passes_without_days_before():
    assert evaluate_gates(80, reference={}, minimum=0.001, maximum=0.01).passed


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        (before(80, 10_000, 6), "only 6 days before have labelled rows"),
        (before(1, 10_000, 19), "only 19 positives are among them"),
    ],
)
def test_without_enough_to_compare_with_the_day_is_not_judged(reference, why):
    found = evaluate_gates(500, reference=reference)
    assert found.passed is None
    assert why in found.reason


def test_what_chance_explains_does_not_fail():
    assert evaluate_gates(5, 2_500, reference=before(80, 10_000), factor=1.5).passed


def test_a_day_without_labels_is_not_judged():
    assert evaluate_gates(0, 0).passed is None


def test_without_a_factor_only_bounds_are_judged():
    assert evaluate_gates(9_000, factor=None).passed is None
    assert evaluate_gates(9_000, factor=None, minimum=0.001).passed


def test_ten_thousand_days_of_chance_alone_give_no_alarm():
    drawn = np.random.default_rng(1).binomial(4_000, 0.008, 10_000)
    assert not any(evaluate_gates(int(positives), 4_000, factor=1.01).failed for positives in np.unique(drawn))


def test_a_day_of_turned_labels_does_not_make_a_good_one_look_wrong():
    reference = before(80, 10_000)
    reference[DAY - timedelta(days=3)] = LabelCounts(9_920, 10_000)
    found = evaluate_gates(80, reference=reference)
    assert found.passed
    assert "0.800% on the 27 days" in found.reason
    assert evaluate_gates(9_920, reference=reference).failed
