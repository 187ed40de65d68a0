"""The days that the checks of validated rows compare a day with."""

from datetime import date, timedelta

import pytest

from ml_assets.pipeline.graph.check_inputs import days_compared
from ml_assets_tests.conftest import SMALL

DAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("checks", "days"),
    [
        ({}, 0),
        ({"no_repeated_day": {}}, 28),
        ({"label_rate": {}}, 28),
        ({"row_count": {"weeks": 6}, "no_repeated_day": {}}, 42),
        ({"no_gaps": {"look_back": "9d"}}, 9),
        ({"column_drift": {"reference": "14d"}, "no_gaps": {"look_back": "9d"}}, 14),
    ],
)
def test_the_check_that_looks_back_furthest_decides(make_spec, checks, days):
    spec = make_spec(checks={**SMALL["checks"], **checks})
    assert days_compared(spec, DAY) == [DAY - timedelta(days=back) for back in range(days, 0, -1)]
