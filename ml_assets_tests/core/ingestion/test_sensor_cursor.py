"""Every change of a day's objects is requested once, whatever happens between two ticks of the sensor."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.sensor_cursor import (
    NO_OBJECTS,
    FeedCursor,
    SensorCursor,
    digest_objects,
    doubling_ranges,
    find_affected_days,
    group_into_ranges,
    select_days_read_early,
    select_days_to_request,
)

FIRST = date(2025, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def test_a_digest_depends_on_key_content_and_size_and_not_on_order():
    first_object, second_object = ("a", "x", 1), ("b", "y", 2)
    assert digest_objects([first_object, second_object]) == digest_objects([second_object, first_object])
    assert (
        len(
            {
                digest_objects([first_object]),
                digest_objects([first_object, second_object]),
                digest_objects([("a", "z", 1)]),
                digest_objects([("c", "x", 1)]),
                digest_objects([]),
            }
        )
        == 5
    )


@pytest.mark.parametrize(
    ("requested", "landed", "materialized", "expected"),
    [
        ({}, {day(1): "x"}, set(), [day(1)]),
        ({}, {day(1): "x"}, {day(1)}, []),
        ({day(1): "x"}, {day(1): "x"}, set(), []),
        ({day(1): "x"}, {day(1): "y"}, set(), [day(1)]),
        ({day(1): "x"}, {day(1): NO_OBJECTS}, set(), [day(1)]),
        ({}, {day(1): NO_OBJECTS}, {day(1)}, []),
        ({}, {day(2): "y", day(1): "x"}, set(), [day(1), day(2)]),
    ],
)
def test_days_that_the_lake_does_not_hold_are_requested_once_for_each_content(
    requested, landed, materialized, expected
):
    assert select_days_to_request(requested, landed, materialized) == expected


def test_materialized_days_are_read_early_if_their_objects_differ_from_the_last_scan():
    scanned = {day(1): "x", day(2): "x", day(3): NO_OBJECTS, day(4): "x"}
    landed = {day(1): "x", day(2): "y", day(3): "y", day(4): "y", day(5): "y"}
    # Day 4 is not materialized, and day 5 has not been scanned before.
    assert select_days_read_early(scanned, landed, {day(1), day(2), day(3), day(5)}) == [day(2), day(3)]


def test_days_that_read_a_changed_day_are_affected_up_to_the_newest_landed_day():
    assert find_affected_days([day(3)], 2, day(9)) == {day(3), day(4), day(5)}
    assert find_affected_days([day(3)], 9, day(4)) == {day(3), day(4)}


def test_the_newest_day_is_requested_again_after_its_objects_were_removed():
    assert find_affected_days([day(9)], 2, day(8)) == {day(9)}


def test_neighbouring_days_share_a_range_up_to_the_limit():
    assert group_into_ranges({day(number) for number in range(1, 8)}, 3) == [
        (day(1), day(3)),
        (day(4), day(6)),
        (day(7), day(7)),
    ]
    assert group_into_ranges({day(1), day(2), day(8), day(9)}, None) == [(day(1), day(2)), (day(8), day(9))]
    assert group_into_ranges(set(), 3) == []


@given(st.sets(st.integers(1, 40)), st.integers(1, 7))
def test_ranges_hold_every_day_once(numbers, max_days):
    ranges = group_into_ranges({day(number) for number in numbers}, max_days)
    days = [first + timedelta(days=n) for first, last in ranges for n in range((last - first).days + 1)]
    assert days == sorted(day(number) for number in numbers)
    assert all((last - first).days < max_days for first, last in ranges)


def test_the_cursor_survives_serialization():
    state = SensorCursor(
        7,
        {
            "raw_data": FeedCursor({day(2): "x", day(1): NO_OBJECTS}, {day(1): "y"}, day(2), day(3)),
            "raw_labels": FeedCursor(),
        },
    )
    begun = replace(state, begun=1_800_000_000)
    assert [SensorCursor.from_text(cursor.to_text()) for cursor in (state, begun)] == [state, begun]
    assert SensorCursor.from_text(None) == SensorCursor.from_text("") == SensorCursor()


def test_the_size_of_the_cursor_does_not_depend_on_the_number_of_objects():
    few, many = ([(f"k{number}", "d", 1) for number in range(count)] for count in (1, 10_000))
    texts = [
        SensorCursor(1, {"raw_data": FeedCursor({day(1): digest_objects(objects)})}).to_text()
        for objects in (few, many)
    ]
    assert len(texts[0]) == len(texts[1])


@pytest.mark.parametrize(
    "text", ["s3://key", "{}", "[]", '{"requests": "x", "feeds": {}}', '{"requests": 1, "feeds": 1}']
)
def test_a_text_that_is_not_a_cursor_is_refused(text):
    with pytest.raises(ValueError, match="not a cursor"):
        SensorCursor.from_text(text)


def test_ranges_double_from_the_newest_day_back_without_gaps():
    assert list(doubling_ranges(day(10), day(1), 1)) == [
        (day(10), day(10)),
        (day(8), day(9)),
        (day(4), day(7)),
        (day(1), day(3)),
    ]
    assert list(doubling_ranges(day(400), day(1), 32)) == [
        (day(369), day(400)),
        (day(305), day(368)),
        (day(177), day(304)),
        (day(1), day(176)),
    ]
    assert list(doubling_ranges(day(1), day(2), 1)) == []
