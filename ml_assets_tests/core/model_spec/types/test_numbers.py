"""Numbers in messages have all the digits that were stated."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model_spec.types.numbers import format_number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567.89, "1234567.89"),
        (100.0, "100"),
        (-0.5, "-0.5"),
        (0.001, "0.001"),
        (9007199254740993, "9007199254740993"),
        (1e20, "1e+20"),
        (math.inf, "inf"),
    ],
)
def test_no_digit_is_lost(value, text):
    assert format_number(value) == text


@given(st.floats(allow_nan=False) | st.integers())
def test_the_text_reads_as_the_same_number(value):
    assert type(value)(format_number(value)) == value
