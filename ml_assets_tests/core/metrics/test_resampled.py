"""Ratios and means leave out what is undefined."""

import numpy as np
import pytest

from ml_assets.core.metrics.resampled import mean_of_defined, positive_weights, ratio


def test_a_ratio_to_nothing_is_undefined():
    assert ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0])) == pytest.approx([0.5, float("nan")], nan_ok=True)


def test_a_mean_leaves_out_what_is_undefined():
    values = np.array([[1.0, np.nan, 3.0], [np.nan] * 3])
    assert mean_of_defined(values) == pytest.approx([2.0, float("nan")], nan_ok=True)


def test_weights_are_numbers_above_0():
    assert positive_weights(None, 3) is None
    with pytest.raises(ValueError, match="1 of 2 sample weights are not numbers above 0"):
        positive_weights([1, float("nan")], 2)
