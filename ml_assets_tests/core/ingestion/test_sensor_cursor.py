"""The sensor's memory: every change of a day's content is found once, whatever happens between looks."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_assets.core.ingestion.sensor_cursor import (
    NOTHING,
    FeedCursor,
    SensorCursor,
    affected_days,
    day_digest,
    days_to_request,
    ranges_of,
    stretches,
)

FIRST = date(2025, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def test_a_digest_depends_on_key_content_and_size_and_not_on_order():
    one, two = ("a", "x", 1), ("b", "y", 2)
    assert day_digest([one, two]) == day_digest([two, one])
    assert (
        len(
            {
                day_digest([one]),
                day_digest([one, two]),
                day_digest([("a", "z", 1)]),
                day_digest([("c", "x", 1)]),
                day_digest([]),
            }
        )
        == 5
    )


@pytest.mark.parametrize(
    ("requested", "found", "made", "expected"),
    [
        ({}, {day(1): "x"}, set(), [day(1)]),
        ({}, {day(1): "x"}, {day(1)}, []),
        ({day(1): "x"}, {day(1): "x"}, set(), []),
        ({day(1): "x"}, {day(1): "y"}, set(), [day(1)]),
        ({day(1): "x"}, {day(1): NOTHING}, set(), [day(1)]),
        ({}, {day(1): NOTHING}, {day(1)}, []),
        ({}, {day(2): "y", day(1): "x"}, set(), [day(1), day(2)]),
    ],
)
def test_days_that_the_lake_does_not_hold_are_requested_once_for_each_content(requested, found, made, expected):
    assert days_to_request(requested, found, made) == expected


def test_days_that_see_a_change_follow_it_as_far_as_files_have_landed():
    assert affected_days([day(3)], 2, day(9)) == {day(3), day(4), day(5)}
    assert affected_days([day(3)], 9, day(4)) == {day(3), day(4)}


def test_an_emptied_newest_day_is_made_again_too():
    assert affected_days([day(9)], 2, day(8)) == {day(9)}


def test_neighbouring_days_share_a_range_up_to_its_longest():
    assert ranges_of({day(number) for number in range(1, 8)}, 3) == [
        (day(1), day(3)),
        (day(4), day(6)),
        (day(7), day(7)),
    ]
    assert ranges_of({day(1), day(2), day(8), day(9)}, None) == [(day(1), day(2)), (day(8), day(9))]
    assert ranges_of(set(), 3) == []


@settings(max_examples=50)
@given(st.sets(st.integers(1, 40)), st.integers(1, 7))
def test_ranges_hold_every_day_once(numbers, most):
    ranges = ranges_of({day(number) for number in numbers}, most)
    held = [first + timedelta(days=n) for first, last in ranges for n in range((last - first).days + 1)]
    assert held == sorted(day(number) for number in numbers)
    assert all((last - first).days < most for first, last in ranges)


def test_the_state_is_read_as_it_was_written():
    state = SensorCursor(
        7, {"raw_data": FeedCursor({day(2): "x", day(1): NOTHING}, day(2), day(3)), "raw_labels": FeedCursor()}
    )
    assert SensorCursor.from_text(state.to_text()) == state
    assert SensorCursor.from_text(None) == SensorCursor.from_text("") == SensorCursor()


def test_the_state_s_size_does_not_depend_on_the_number_of_objects():
    few, many = ([(f"k{number}", "d", 1) for number in range(count)] for count in (1, 10_000))
    texts = [
        SensorCursor(1, {"raw_data": FeedCursor({day(1): day_digest(objects)})}).to_text() for objects in (few, many)
    ]
    assert len(texts[0]) == len(texts[1])


def test_another_text_is_refused():
    with pytest.raises((ValueError, KeyError)):
        SensorCursor.from_text("s3://key")


def test_stretches_grow_from_the_newest_day_back_and_leave_no_day_out():
    assert list(stretches(day(10), day(1), 1)) == [
        (day(10), day(10)),
        (day(8), day(9)),
        (day(4), day(7)),
        (day(1), day(3)),
    ]
    assert list(stretches(day(400), day(1), 32)) == [
        (day(369), day(400)),
        (day(305), day(368)),
        (day(177), day(304)),
        (day(1), day(176)),
    ]
    assert list(stretches(day(1), day(2), 1)) == []
