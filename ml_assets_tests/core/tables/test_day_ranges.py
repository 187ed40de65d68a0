"""Ranges of days are parsed, divided as Dagster divides them, and grouped without a loss."""

from datetime import date, timedelta
from itertools import pairwise

import dagster as dg
import pytest
from dagster._core.execution.job_backfill import _subdivide_partition_key_range
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.tables.day_ranges import chunks, days_between, group_days, parse_days

pytestmark = pytest.mark.clock

FIRST = date(2025, 1, 1)


def test_a_day_and_a_range_are_read():
    assert parse_days("2026-08-20") == (date(2026, 8, 20), date(2026, 8, 20))
    assert parse_days("2026-08-15...2026-09-01") == (date(2026, 8, 15), date(2026, 9, 1))


@pytest.mark.parametrize(
    "text",
    ["", "...", "2026-08-15..2026-09-01", "2026-08-15...", "...2026-09-01", "2026-02-30", "yesterday", "1...2...3"],
)
def test_a_text_that_is_neither_is_refused(text):
    with pytest.raises(ValueError, match="neither a day such as"):
        parse_days(text)


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="first day lies after the last"):
        parse_days("2026-09-01...2026-08-15")


@given(st.integers(1, 60), st.none() | st.integers(1, 20))
def test_days_are_divided_into_runs_as_dagster_divides_them(count, most):
    days = days_between(FIRST, FIRST + timedelta(days=count - 1))
    partitions = dg.DailyPartitionsDefinition(start_date="2025-01-01")
    cut = _subdivide_partition_key_range(partitions, dg.PartitionKeyRange(str(days[0]), str(days[-1])), most)
    assert [(str(chunk[0]), str(chunk[-1])) for chunk in chunks(days, most)] == [(part.start, part.end) for part in cut]
    assert [day for chunk in chunks(days, most) for day in chunk] == days


@given(st.dictionaries(st.integers(0, 40), st.sampled_from("ab")))
def test_groups_have_every_day_once_and_are_as_few_as_possible(labels):
    labelled = [(FIRST + timedelta(days=number), label) for number, label in sorted(labels.items())]
    groups = group_days(labelled)
    assert [(day, group.label) for group in groups for day in group.days] == labelled
    assert all(group.days == days_between(group.days[0], group.days[-1]) for group in groups)
    for part, other in pairwise(groups):
        assert part.label != other.label or other.days[0] - part.days[-1] > timedelta(days=1)
