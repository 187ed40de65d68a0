"""A number stands with its noun in the form that belongs to it."""

import pytest

from ml_assets.core.counts import count


@pytest.mark.parametrize(("number", "text"), [(0, "0 days"), (1, "1 day"), (1200, "1,200 days")])
def test_only_one_is_singular(number, text):
    assert count(number, "day") == text
