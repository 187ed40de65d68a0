"""What a backfill, a new day and a day with nothing to do cost stays within the committed bounds."""

import warnings

import pytest

from ml_assets_tests.pipeline.counts.bounds import COMMAND, bounds_of, growth, read_bounds, slack
from ml_assets_tests.pipeline.counts.counters import COUNTED
from ml_assets_tests.pipeline.counts.measure import RUNS, measure

pytestmark = pytest.mark.plots


def test_no_count_of_a_day_grows(tmp_path):
    counts, bounds = measure(tmp_path), read_bounds()
    grown = growth(counts, bounds)
    assert not grown, "\n".join([*grown, f"If this is meant, commit the bounds that `{COMMAND}` writes."])
    if shrunk := slack(counts, bounds):
        warnings.warn("\n".join([*shrunk, f"Lower the bounds: `{COMMAND}`."]), stacklevel=1)


def test_every_count_of_every_run_has_a_bound_and_none_is_left_over():
    assert {run: list(of_run) for run, of_run in read_bounds().items()} == {run: list(COUNTED) for run in RUNS}


def test_a_count_above_its_bound_or_without_one_is_named_with_both_figures():
    assert growth({"a new day": {"plots": 7, "events": 3}}, {"a new day": {"plots": 6, "events": 3}}) == [
        "a new day: plots grew from 6 to 7"
    ]
    assert growth({"a new day": {"plots": 1}}, {}) == ["a new day: plots grew from 0 to 1"]


def test_a_count_far_below_its_bound_is_named_and_one_a_little_below_is_not():
    assert slack({"a new day": {"plots": 6, "events": 80}}, {"a new day": {"plots": 8, "events": 100}}) == [
        "a new day: plots shrank from 8 to 6"
    ]
    assert slack({}, {"a new day": {"plots": 1}}) == ["a new day: plots shrank from 1 to 0"]


def test_bounds_are_the_counts_and_bytes_have_a_margin():
    counts = {"a new day": {"plots": 6, "lake bytes read": 12_001, "landing bytes read": 0}}
    bounds = bounds_of(counts)
    assert bounds == {"a new day": {"plots": 6, "lake bytes read": 13_000, "landing bytes read": 0}}
    assert growth(counts, bounds) == []
    assert slack(counts, bounds) == []
