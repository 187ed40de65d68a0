"""The Kolmogorov-Smirnov distance equals scipy's, and its critical value is exceeded once in a hundred times."""

import math

import numpy as np
import pytest

from ml_assets.core.metrics.kolmogorov_smirnov import critical_distance, ks_distance, max_distance


def test_the_ks_distance_is_that_of_the_samples():
    assert ks_distance(np.array([0.1, 0.2]), np.array([0.3, 0.4])) == 1
    assert ks_distance(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.1, 0.2])) == 0.5
    assert math.isnan(ks_distance(np.array([]), np.array([0.5])))


def test_the_ks_distance_equals_that_of_scipy():
    from scipy.stats import ks_2samp

    draw = np.random.default_rng(1)
    first, second = draw.normal(size=300), draw.normal(0.2, 1, 500)
    assert ks_distance(first, second) == pytest.approx(ks_2samp(first, second).statistic)


def test_samples_of_one_source_exceed_the_critical_distance_once_in_a_hundred_times():
    draw = np.random.default_rng(1)
    distances = [ks_distance(draw.random(400), draw.random(600)) for _ in range(1000)]
    assert 2 <= sum(distance > critical_distance(400, 600) for distance in distances) <= 20


def test_the_largest_difference_is_taken_along_the_last_axis_and_is_0_without_values():
    distributions = np.array([[0.1, 0.9], [0.5, 1.0]])
    assert max_distance(distributions, np.array([0.1, 1.0])).tolist() == pytest.approx([0.1, 0.4])
    assert max_distance(np.empty(0), np.empty(0)) == 0
