"""Intervals of paired means and of their ratio, with weights."""

import math

import numpy as np
import pytest

from ml_assets.core.metrics.paired_means import mean_difference, relative_increase

RANDOM = np.random.default_rng(0)
CHAMPION = RANDOM.gamma(2, 1, 400)
CHALLENGER = CHAMPION * 1.2 + RANDOM.normal(0, 0.1, 400)


def test_an_increase_is_a_share_of_the_mean_of_the_champion():
    estimate = relative_increase(CHALLENGER, CHAMPION, None, 0.99)
    assert estimate.difference == pytest.approx(CHALLENGER.mean() / CHAMPION.mean() - 1)
    assert 0.15 < estimate.low < 0.2 < estimate.high < 0.25


def test_weights_count_as_repeated_rows_do():
    weights = RANDOM.integers(1, 4, 400)
    for estimate in (mean_difference, relative_increase):
        weighted = estimate(CHALLENGER, CHAMPION, weights, 0.9)
        repeated = estimate(np.repeat(CHALLENGER, weights), np.repeat(CHAMPION, weights), None, 0.9)
        assert weighted.difference == pytest.approx(repeated.difference)
        assert weighted.challenger == pytest.approx(repeated.challenger)


def test_the_interval_covers_the_difference_about_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        first, second = random.normal(1, 1, 50), random.normal(0.5, 1, 50)
        estimate = mean_difference(first, second, random.uniform(0.5, 1.5, 50), 0.9)
        covered += estimate.low <= 0.5 <= estimate.high
    assert 165 <= covered <= 195


def test_few_rows_have_no_interval():
    single = mean_difference([1.0], [2.0], None, 0.9)
    assert single.difference == -1
    assert math.isnan(single.low)
    assert math.isnan(mean_difference([], [], None, 0.9).difference)
    assert math.isnan(relative_increase([1.0], [0.0], None, 0.9).difference)


def test_the_order_of_the_rows_does_not_matter():
    order = RANDOM.permutation(400)
    assert relative_increase(CHALLENGER[order], CHAMPION[order], None, 0.9) == relative_increase(
        CHALLENGER, CHAMPION, None, 0.9
    )
