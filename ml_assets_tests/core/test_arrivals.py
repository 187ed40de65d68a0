"""The sensor's memory: every change of a day's content is found once, whatever happens between looks."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_assets.core.arrivals import NOTHING, Arrivals, affected_ranges, day_digest, days_to_request, stretches

FIRST = date(2025, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def test_a_digest_depends_on_key_content_and_size_and_not_on_order():
    one, two = ("a", "x", 1), ("b", "y", 2)
    assert day_digest([one, two]) == day_digest([two, one])
    assert len({day_digest([one]), day_digest([one, two]), day_digest([("a", "z", 1)]), day_digest([("c", "x", 1)]), day_digest([])}) == 5


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
    assert affected_ranges([day(3)], 2, day(9), None) == [(day(3), day(5))]
    assert affected_ranges([day(3)], 9, day(4), None) == [(day(3), day(4))]
    assert affected_ranges([day(1), day(8)], 1, day(9), None) == [(day(1), day(2)), (day(8), day(9))]


def test_neighbouring_days_share_a_range_up_to_its_longest():
    assert affected_ranges([day(number) for number in range(1, 8)], 0, day(7), 3) == [(day(1), day(3)), (day(4), day(6)), (day(7), day(7))]
    assert affected_ranges([], 5, day(7), 3) == []


def test_an_emptied_newest_day_is_made_again_too():
    assert affected_ranges([day(9)], 2, day(8), None) == [(day(9), day(9))]


@settings(max_examples=50)
@given(st.sets(st.integers(1, 40)), st.integers(0, 5), st.integers(1, 7))
def test_ranges_hold_every_affected_day_once(numbers, reach, most):
    changed = [day(number) for number in sorted(numbers)]
    ranges = affected_ranges(changed, reach, day(40), most)
    held = [first + timedelta(days=n) for first, last in ranges for n in range((last - first).days + 1)]
    expected = {one + timedelta(days=n) for one in changed for n in range(reach + 1) if n == 0 or one + timedelta(days=n) <= day(40)}
    assert len(held) == len(set(held))
    assert set(held) == expected
    assert all((last - first).days < most for first, last in ranges)


def test_the_state_is_read_as_it_was_written():
    state = Arrivals({day(2): "x", day(1): NOTHING}, 7, day(2))
    assert Arrivals.from_text(state.to_text()) == state
    assert Arrivals.from_text(None) == Arrivals.from_text("") == Arrivals()


def test_the_state_s_size_does_not_depend_on_the_number_of_objects():
    few, many = ([(f"k{number}", "d", 1) for number in range(count)] for count in (1, 10_000))
    assert len(Arrivals({day(1): day_digest(few)}).to_text()) == len(Arrivals({day(1): day_digest(many)}).to_text())


def test_another_text_is_refused():
    with pytest.raises((ValueError, KeyError)):
        Arrivals.from_text("s3://key")


def test_stretches_grow_from_the_newest_day_back_and_leave_no_day_out():
    assert list(stretches(day(10), day(1), 1)) == [(day(10), day(10)), (day(8), day(9)), (day(4), day(7)), (day(1), day(3))]
    assert list(stretches(day(400), day(1), 32)) == [(day(369), day(400)), (day(305), day(368)), (day(177), day(304)), (day(1), day(176))]
    assert list(stretches(day(1), day(2), 1)) == []
