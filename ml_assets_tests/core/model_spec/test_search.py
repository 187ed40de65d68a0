"""A search space that training would refuse, and folds without days, are refused."""

import pytest

from ml_assets_tests.support.changed_spec import assert_refused


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("training.search", {"space": {}}, "name at least one parameter"),
        (
            "training.search",
            {"space": {"depth": {"low": 1, "high": 2}}},
            "search.space.depth: there is no such parameter; the parameters are eta",
        ),
        (
            "training.search",
            {"space": {"eta": {"low": 0.1, "high": 2}}},
            "search.space.eta: 2: Input should be less than or equal to 1",
        ),
        (
            "training.search",
            {"space": {"max_depth": {"low": 1.5, "high": 2}}},
            "search.space.max_depth: 1.5: Input should be a valid integer",
        ),
        (
            "training.search",
            {"space": {"eta": {"low": 0.5, "high": 0.5}}},
            "low 0.5 must be below high 0.5; fix a parameter in training.parameters",
        ),
        ("training.search", {"space": {"gamma": {"low": 0, "high": 1, "log": True}}}, "log needs a low above 0"),
        ("training.search", {"space": {"eta": {"values": [0.1, 0.1]}}}, "state each value once"),
        ("training.search", {"folds": 4}, "search.folds: 4 folds that validate on 1d each leave no day of the window"),
        ("training.search", {"trials": 0}, "greater than or equal to 1"),
        ("training.search", {"minutes": 0}, "greater than 0"),
        ("training.search", {"every": "12h"}, "not a whole number of days"),
    ],
)
def test_a_search_that_cannot_run_is_refused_with_the_reason(small, path, value, reason):
    assert_refused(small, path, value, reason)
