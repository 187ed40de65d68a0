"""Labels are matched with rows by key; labels without a row are told from those whose row may be outside the lake."""

from datetime import date, timedelta

import pandas as pd

from ml_assets.core.validation.label_match import LabelMatcher, list_undecided_days

FIRST = date(2026, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def labels(keys: list, known: int) -> pd.DataFrame:
    return pd.DataFrame({"id": keys, "known_at": pd.Timestamp(day(known), tz="UTC")})


def match(delivery: pd.DataFrame, rows: dict[int, list], delivered: int = 9, undecided: tuple[int, ...] = ()):
    matcher = LabelMatcher(["id"], {day(delivered): delivery})
    for number, keys in rows.items():
        matcher.add_rows(day(number), pd.DataFrame({"id": keys}))
        if number <= delivered:
            matcher.add_forms(pd.DataFrame({"id": keys}))
    return matcher.match(day(delivered), {day(number) for number in undecided}, "UTC")


def test_labels_are_counted_by_what_is_known_of_their_rows():
    result = match(labels(["001", "2", "3", "9"], known=8), {7: ["001", "002"], 8: ["3"]})
    assert (result.labels, result.other_form, result.unmatched, result.undecided) == (4, 1, 1, 0)
    assert result.share == 0.5
    assert result.examples == [
        {"label": "2", "row": "002", "difference": "leading zeros"},
        {"label": "9", "row": "", "difference": "no row"},
    ]


def test_a_label_is_not_matched_with_a_row_of_a_later_day():
    assert match(labels(["1"], known=8), {10: ["1"]}, delivered=9).unmatched == 1
    assert match(labels(["1"], known=8), {9: ["1"]}, delivered=9).unmatched == 0


def test_a_label_whose_row_may_be_outside_of_the_lake_is_undecided_unless_a_row_has_its_key_in_another_form():
    result = match(labels(["1", "9"], known=8), {7: ["001"]}, undecided=(8,))
    assert (result.other_form, result.unmatched, result.undecided, result.decided) == (1, 0, 1, 1)


def test_a_key_that_is_delivered_twice_counts_once_and_a_label_known_later_counts_as_known_at_its_delivery():
    result = match(labels(["1", "1"], known=30), {7: ["2"]}, delivered=9, undecided=(9,))
    assert (result.labels, result.undecided) == (1, 1)


def test_keys_of_several_columns_are_matched_together():
    delivery = pd.DataFrame({"card": ["a", "a"], "id": [1, 2], "known_at": pd.Timestamp(FIRST, tz="UTC")})
    matcher = LabelMatcher(["card", "id"], {FIRST: delivery})
    matcher.add_rows(FIRST, pd.DataFrame({"card": ["a", "b", None], "id": [1, 2, 2]}))
    result = matcher.match(FIRST, set(), "UTC")
    assert (result.labels, result.unmatched, result.examples[0]["label"]) == (2, 1, "a | 2")


def test_days_before_the_lake_and_missing_or_damaged_days_leave_labels_undecided():
    delay, known = timedelta(days=2), [day(number) for number in range(1, 22)]
    weekdays = [day(number) for number in range(1, 22) if day(number).weekday() < 5]
    assert list_undecided_days(known, weekdays, (), delay) == {day(1), day(2)}
    without = [other for other in weekdays if other != day(9)]
    assert list_undecided_days(known, without, (), delay) == {day(1), day(2), day(9), day(10), day(11)}
    assert list_undecided_days(known, weekdays, [day(9)], delay) == {day(1), day(2), day(9), day(10), day(11)}
    assert list_undecided_days(known, [], (), delay) == set(known)
