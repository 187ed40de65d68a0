"""Features are complete once their windows begin within the source."""

from datetime import date

from ml_assets.core.features.warm_up import find_first_complete_days
from ml_assets_tests.core.features.feature_cases import spec_with


def test_a_feature_is_complete_once_its_longest_window_begins_within_the_source():
    spec = spec_with(
        {"kind": "column", "columns": ["amount"]},
        {
            "kind": "window",
            "key": "card",
            "value": "label",
            "aggregates": ["mean"],
            "windows": ["1d", "36h"],
            "delay": "7d",
        },
        {"kind": "window", "key": "card", "aggregates": ["count"], "last_rows": [3], "within": "10d"},
        {"kind": "custom", "function": "math:sin", "outputs": ["x"], "reads": "2d"},
    )
    assert find_first_complete_days(spec) == {
        "amount": date(2025, 1, 1),
        "label_mean_by_card_1d_delay_7d": date(2025, 1, 9),
        "label_mean_by_card_36h_delay_7d": date(2025, 1, 10),
        "count_by_card_last_3": date(2025, 1, 11),
        "x": date(2025, 1, 3),
    }
