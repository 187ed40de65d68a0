"""Durations are read as people write them, and written as they are read."""

import pytest

from ml_assets.core.model_spec.types.durations import format_duration, parse_duration
from ml_assets_tests.support.changed_spec import assert_refused


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("label_delay", "36h", "whole number of days"),
        ("label_delay", "a week", "not a duration"),
        ("label_delay", "7d\n", "not a duration"),
        ("label_delay", "99999999999d", "99999999999d is too long; the longest duration is 36500d"),
        ("label_delay", "36501d", "too long"),
    ],
)
def test_a_text_that_is_no_duration_is_refused(small, path, value, reason):
    assert_refused(small, path, value, reason)


@pytest.mark.parametrize("text", ["7d", "36h", "90m"])
def test_durations_are_written_as_they_are_read(text):
    assert format_duration(parse_duration(text)) == text
