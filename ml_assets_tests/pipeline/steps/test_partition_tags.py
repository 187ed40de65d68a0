"""The days of a run, and the partitions of runs of other assets, which are no days."""

from datetime import date

import pytest

from ml_assets.pipeline.steps.partition_tags import PARTITION, RANGE_END, RANGE_START, days_of, partition_of, range_tags


@pytest.mark.parametrize(
    ("tags", "days", "partition"),
    [
        ({PARTITION: "2025-01-02"}, [date(2025, 1, 2)], "2025-01-02"),
        (
            range_tags(date(2025, 1, 2), date(2025, 1, 3)),
            [date(2025, 1, 2), date(2025, 1, 3)],
            "2025-01-02...2025-01-03",
        ),
        (range_tags(date(2025, 1, 2), date(2025, 1, 2)), [date(2025, 1, 2)], "2025-01-02"),
        ({}, [], ""),
        ({PARTITION: "2025-01-02-07:00"}, [], "2025-01-02-07:00"),
        ({PARTITION: "2025-01-02|eu"}, [], "2025-01-02|eu"),
        ({PARTITION: "eu"}, [], "eu"),
        ({RANGE_START: "eu", RANGE_END: "us"}, [], "eu...us"),
    ],
)
def test_only_partitions_that_are_days_are_days(tags, days, partition):
    assert days_of(tags) == days
    assert partition_of(tags) == partition
