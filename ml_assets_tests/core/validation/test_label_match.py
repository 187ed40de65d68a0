"""Labels are matched with rows by key; what belongs to no row is told from what may lie outside of the lake."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.checks.label_match import evaluate_label_match
from ml_assets.core.model_spec.checks import LabelMatchCheck
from ml_assets.core.validation.key_form import canonical_form, describe_difference
from ml_assets.core.validation.label_match import LabelMatch, LabelMatcher, list_undecided_days

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


@pytest.mark.parametrize(
    ("label", "row", "difference"),
    [
        ("123", "00123", "leading zeros"),
        (" a1", "a1", "surrounding space, quotes or characters that are not shown"),
        ("a1\ufeff", "a1", "surrounding space, quotes or characters that are not shown"),
        ("'00123", "00123", "surrounding space, quotes or characters that are not shown"),
        ("AB12", "ab12", "letter case"),
        ("123.0", "123", "a trailing .0"),
        ("1,234,567", "1234567", "separators of digits"),
        ("1.234.567", "1234567", "separators of digits"),
        ("1.2345E+05", "123450", "an exponent"),
        ("0F8FAD5B-D9CB-469F-A165-70867728950E", "0f8fad5bd9cb469fa16570867728950e", "letter case and separators"),
        ("123.0", "00123", "a trailing .0 and leading zeros"),
        ("a | 7", "a | 007", "leading zeros"),
    ],
)
def test_keys_that_differ_in_form_only_have_one_canonical_form_and_a_named_difference(label, row, difference):
    (first, second) = canonical_form([label, row])
    assert first == second
    assert describe_difference(label, row).startswith(difference)


@pytest.mark.parametrize(("label", "row"), [("123", "124"), ("12", "120"), ("a1", "a2"), ("1.5", "15"), ("0", "")])
def test_other_keys_have_other_forms(label, row):
    first, second = canonical_form([label, row])
    assert first != second


@given(st.text(max_size=12))
def test_a_canonical_form_is_its_own(text):
    (form,) = canonical_form([text])
    assert canonical_form([form]) == [form]


def test_labels_are_counted_by_what_is_known_of_their_rows():
    found = match(labels(["001", "2", "3", "9"], known=8), {7: ["001", "002"], 8: ["3"]})
    assert (found.labels, found.other_form, found.unmatched, found.undecided) == (4, 1, 1, 0)
    assert found.share == 0.5
    assert found.examples == [
        {"label": "2", "row": "002", "difference": "leading zeros"},
        {"label": "9", "row": "", "difference": "no row"},
    ]


def test_a_row_of_a_later_day_is_no_row_of_a_label():
    assert match(labels(["1"], known=8), {10: ["1"]}, delivered=9).unmatched == 1
    assert match(labels(["1"], known=8), {9: ["1"]}, delivered=9).unmatched == 0


def test_a_label_whose_row_may_be_outside_of_the_lake_is_undecided_unless_a_row_has_its_key_in_another_form():
    found = match(labels(["1", "9"], known=8), {7: ["001"]}, undecided=(8,))
    assert (found.other_form, found.unmatched, found.undecided, found.decided) == (1, 0, 1, 1)


def test_a_key_that_is_delivered_twice_counts_once_and_a_label_known_later_counts_as_known_at_its_delivery():
    found = match(labels(["1", "1"], known=30), {7: ["2"]}, delivered=9, undecided=(9,))
    assert (found.labels, found.undecided) == (1, 1)


def test_keys_of_several_columns_are_matched_together():
    delivery = pd.DataFrame({"card": ["a", "a"], "id": [1, 2], "known_at": pd.Timestamp(FIRST, tz="UTC")})
    matcher = LabelMatcher(["card", "id"], {FIRST: delivery})
    matcher.add_rows(FIRST, pd.DataFrame({"card": ["a", "b", None], "id": [1, 2, 2]}))
    found = matcher.match(FIRST, set(), "UTC")
    assert (found.labels, found.unmatched, found.examples[0]["label"]) == (2, 1, "a | 2")


def test_days_before_the_lake_and_missing_or_damaged_days_leave_labels_undecided():
    delay, known = timedelta(days=2), [day(number) for number in range(1, 22)]
    weekdays = [day(number) for number in range(1, 22) if day(number).weekday() < 5]
    assert list_undecided_days(known, weekdays, (), delay) == {day(1), day(2)}
    without = [other for other in weekdays if other != day(9)]
    assert list_undecided_days(known, without, (), delay) == {day(1), day(2), day(9), day(10), day(11)}
    assert list_undecided_days(known, weekdays, [day(9)], delay) == {day(1), day(2), day(9), day(10), day(11)}
    assert list_undecided_days(known, [], (), delay) == set(known)


def test_the_check_fails_above_its_share_and_hints_at_the_form():
    settings = LabelMatchCheck(max_unmatched_share=0.1)
    examples = [{"label": "2", "row": "002", "difference": "leading zeros"}]
    failed = evaluate_label_match("label_match", settings, FIRST, LabelMatch(12, 2, 0, 2, examples))
    assert failed.failed
    assert failed.reason == (
        "2 of 10 labels belong to no row (20.00%, at most 10.00% pass); the keys of 2 differ from that of a row in "
        "form only, such as '2' from '002' (leading zeros); the rows of 2 more may be outside of the lake"
    )
    assert evaluate_label_match("label_match", settings, FIRST, LabelMatch(10, 1, 0, 0, examples)).passed
    assert evaluate_label_match("label_match", settings, FIRST, LabelMatch(3, 0, 0, 3)).passed is None
    assert evaluate_label_match("label_match", settings, FIRST, None).passed is None
