"""The memory of a chunk grows with the columns that are read and the features that are built."""

from ml_assets.core.features.memory_estimate import bytes_per_row
from ml_assets_tests.core.features.feature_cases import spec_with

WINDOW = {"kind": "window", "key": "card", "value": "amount", "aggregates": ["mean"], "windows": ["1d"]}


def test_a_row_takes_more_than_a_row_of_its_history():
    estimate = bytes_per_row(spec_with(WINDOW))
    assert estimate.rows > estimate.history > 3 * 8


def test_text_and_further_features_take_more():
    few, text = bytes_per_row(spec_with(WINDOW)), bytes_per_row(spec_with(WINDOW | {"key": "shop"}))
    assert text.history > few.history
    assert bytes_per_row(spec_with(WINDOW | {"windows": ["1d", "7d"]})).rows > few.rows
