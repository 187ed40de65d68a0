"""Bounds of the checks of rows and labels that contradict each other are refused."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec.checks.data_checks import LabelRateCheck


def test_bounds_of_the_label_rate_are_in_order():
    assert LabelRateCheck(minimum=0.1, maximum=0.1).maximum == 0.1
    with pytest.raises(ValidationError, match=r"minimum 0.5 is above maximum 0.1"):
        LabelRateCheck(minimum=0.5, maximum=0.1)
