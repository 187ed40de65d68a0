"""Retention that would remove days which are still read, and other impossible schedules, are refused."""

from datetime import timedelta

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("backfill.days_per_run", 0, "greater than or equal to 1"),
        ("retention", {"replaced_files": "12h"}, "not a whole number of days"),
        ("retention", {"days": "100d"}, "retention.replaced_files is missing"),
        ("retention", {"models": "100d"}, "retention.replaced_files is missing"),
        # Twice the label delay of 2, the holdout of 2, the window of 4, and the day before that features read.
        (
            "retention",
            {"replaced_files": "7d", "days": "10d"},
            "10d is too short: a model made today reads 11d back .* 1d that its features see",
        ),
        (
            "retention",
            {"replaced_files": "7d", "days": "31d"},
            "31d is too short: it must be longer than sensor.look_back, 30d, and the 1d that",
        ),
    ],
)
def test_impossible_retention_and_backfill_settings_are_refused_with_the_reason(small, path, value, reason):
    assert_refused(small, path, value, reason)


def test_nothing_is_removed_by_default(small):
    assert not ModelSpec.model_validate(small).retention.removes
    small["retention"] = {"replaced_files": "30d", "days": "32d"}
    assert ModelSpec.model_validate(small).retention.removes


def test_days_may_be_as_few_as_a_model_reads(small):
    small |= {"retention": {"replaced_files": "1d", "days": "11d"}, "sensor": {"look_back": "9d"}}
    assert ModelSpec.model_validate(small).retention.days == timedelta(days=11)


def test_a_lower_bound_of_more_than_a_day_is_refused(small):
    assert_refused(small, "freshness.lower_bound", "25h", "25h is longer than a day")
