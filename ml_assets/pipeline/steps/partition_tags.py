"""Conversion between the days of a run and Dagster's partition tags."""

from collections.abc import Mapping
from datetime import date

from ml_assets.core.tables.day_ranges import RANGE, days_between

PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def days_of(tags: Mapping[str, str]) -> list[date]:
    """Return the days of a run by its tags; none for a run without partitions, or with partitions that are no days: an
    instance has runs of other assets as well.
    """
    try:
        if PARTITION in tags:
            return [date.fromisoformat(tags[PARTITION])]
        if RANGE_START in tags:
            return days_between(date.fromisoformat(tags[RANGE_START]), date.fromisoformat(tags[RANGE_END]))
    except ValueError:
        return []
    return []


def partition_of(tags: Mapping[str, str]) -> str:
    """Return the partition of a run as text, a range as `first...last`; empty for a run without partitions."""
    if RANGE_START in tags:
        first, last = tags[RANGE_START], tags.get(RANGE_END, "")
        return first if first == last else f"{first}{RANGE}{last}"
    return tags.get(PARTITION, "")


def is_single_partition(tags: Mapping[str, str]) -> bool:
    """Return whether the run is for one day alone: neither a range nor a backfill, whose last run may have one day."""
    return PARTITION in tags and "dagster/backfill" not in tags


def range_tags(first: date, last: date) -> dict[str, str]:
    """Return the tags of a run over the days from `first` to `last`."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
