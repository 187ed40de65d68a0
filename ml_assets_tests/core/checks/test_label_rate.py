"""The label rate fails outside its bounds and far from earlier days, but not for a few positives."""

from datetime import date, timedelta

import numpy as np
import pytest

from ml_assets.core.checks.label_rate import LabelCounts, evaluate_label_rate
from ml_assets.core.model_spec.checks.data_checks import LabelRateCheck

DAY = date(2025, 3, 1)


def before(positives: int, labelled: int, days: int = 28) -> dict[date, LabelCounts]:
    return {DAY - timedelta(days=back): LabelCounts(positives, labelled) for back in range(1, days + 1)}


def evaluate(positives: int, labelled: int = 10_000, reference: dict[date, LabelCounts] | None = None, **settings):
    reference = before(80, 10_000) if reference is None else reference
    return evaluate_label_rate(LabelRateCheck(**settings), DAY, LabelCounts(positives, labelled), reference)


@pytest.mark.parametrize(
    ("positives", "passed"),
    [(80, True), (20, True), (390, True), (12, False), (0, False), (450, False), (9_920, False)],
)
def test_a_rate_far_from_that_of_earlier_days_fails(positives, passed):
    outcome = evaluate(positives)
    assert outcome.passed is passed
    assert outcome.reason.startswith(f"{positives:,} of 10,000 labelled rows are positive")
    assert "0.800% on the 28 days from 2025-02-01 to 2025-02-28" in outcome.reason


def test_inverted_labels_fail():
    assert evaluate(9_920).failed


@pytest.mark.parametrize(("positives", "settings"), [(80, {"minimum": 0.01}), (80, {"maximum": 0.005})])
def test_bounds_apply_without_earlier_days(positives, settings):
    assert evaluate(positives, reference={}, **settings).failed


def test_a_rate_within_its_bounds_passes_without_earlier_days():
    assert evaluate(80, reference={}, minimum=0.001, maximum=0.01).passed


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (before(80, 10_000, 6), "only 6 of them can be used as reference"),
        (before(1, 10_000, 19), "they have only 19 positives"),
    ],
)
def test_too_few_reference_days_or_positives_give_no_evaluation(reference, reason):
    outcome = evaluate(500, reference=reference)
    assert outcome.passed is None
    assert reason in outcome.reason


def test_a_difference_that_chance_explains_passes():
    assert evaluate(5, 2_500, reference=before(80, 10_000), factor=1.5).passed


def test_a_day_without_labels_is_not_evaluated():
    assert evaluate(0, 0).passed is None


def test_without_a_factor_only_bounds_apply():
    assert evaluate(9_000, factor=None).passed is None
    assert evaluate(9_000, factor=None, minimum=0.001).passed


def test_ten_thousand_days_without_a_change_raise_no_alarm():
    drawn = np.random.default_rng(1).binomial(4_000, 0.008, 10_000)
    assert not any(evaluate(int(positives), 4_000, factor=1.01).failed for positives in np.unique(drawn))


def test_a_reference_day_of_inverted_labels_does_not_fail_a_good_day():
    reference = before(80, 10_000)
    reference[DAY - timedelta(days=3)] = LabelCounts(9_920, 10_000)
    outcome = evaluate(80, reference=reference)
    assert outcome.passed
    assert "0.800% on the 27 days" in outcome.reason
    assert evaluate(9_920, reference=reference).failed
