"""Feature columns are described in words."""

import pytest

from ml_assets.core.features.descriptions import describe_features


@pytest.mark.parametrize(
    ("feature", "name", "text"),
    [
        ({"kind": "log1p", "columns": ["amount"]}, "amount_log1p", "ln(1 + amount)"),
        ({"kind": "calendar", "parts": ["hour"]}, "event_time_hour", "hour of event_time, 0 to 23"),
        (
            {"kind": "calendar", "parts": ["night"], "night_hours": [22, 5]},
            "event_time_night",
            "1 if the hour of event_time is from 22 to 5, else 0",
        ),
        (
            {"kind": "window", "key": "card", "value": "amount", "aggregates": ["mean"], "windows": ["7d"]},
            "amount_mean_by_card_7d",
            "mean of amount of the rows with the same card in the last 7 days",
        ),
        (
            {"kind": "window", "aggregates": ["count"], "windows": ["1h"], "delay": "1d"},
            "count_1h_delay_1d",
            "number of the rows in the last 1 hour that end 1 day before the row",
        ),
        (
            {
                "kind": "window",
                "key": "card",
                "value": "amount",
                "aggregates": ["zscore"],
                "last_rows": [5],
                "within": "2d",
            },
            "amount_zscore_by_card_last_5",
            "amount minus its mean, in standard deviations, over the last 5 rows with the same card in the last 2 days",
        ),
    ],
)
def test_a_feature_is_described_in_words(make_spec, feature, name, text):
    assert describe_features(make_spec(features=[feature])) == {name: text}
