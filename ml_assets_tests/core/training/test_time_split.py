"""The days of a model are those whose labels were known, and no day is used twice."""

from datetime import date, timedelta

import pytest

from ml_assets.core.training.time_split import (
    HistoryTooShort,
    first_day_read,
    first_known_positives,
    first_model_day,
    searched_on,
    split_days,
)


def test_holdout_ends_where_labels_are_known_and_the_window_ends_a_label_delay_before(make_spec):
    split = split_days(make_spec(), date(2025, 1, 20))
    assert split.holdout == [date(2025, 1, 17), date(2025, 1, 18)]
    assert split.window == [date(2025, 1, day) for day in (11, 12, 13, 14)]
    assert split.validation == [date(2025, 1, 14)]
    assert split.first == date(2025, 1, 11)


def test_without_label_delay_holdout_follows_the_window_at_once(make_spec):
    split = split_days(make_spec(label_delay="0d"), date(2025, 1, 20))
    assert split.holdout[-1] == date(2025, 1, 20)
    assert (split.holdout[0] - split.window[-1]).days == 1


def test_a_model_before_there_is_enough_history_names_the_first_day_that_has_one(make_spec):
    spec = make_spec()
    with pytest.raises(HistoryTooShort, match="first day that has a model is 2025-01-10"):
        split_days(spec, date(2025, 1, 9))
    assert split_days(spec, date(2025, 1, 10)).first == spec.source.start


def searching(make_spec, every):
    training = {"window": "4d", "validation": "1d", "search": {"every": every, "folds": 1}}
    return make_spec(training=training)


@pytest.mark.parametrize(
    ("every", "as_of", "expected"), [("3d", 10, 10), ("3d", 12, 10), ("3d", 13, 13), ("1d", 12, 12), ("30d", 31, 10)]
)
def test_parameters_are_of_the_last_search_counted_from_the_first_model(make_spec, every, as_of, expected):
    spec = searching(make_spec, every)
    assert first_model_day(spec) == date(2025, 1, 10)
    assert searched_on(spec, date(2025, 1, as_of)) == date(2025, 1, expected)
    # The window of day 10 begins on day 1.
    assert first_day_read(spec, date(2025, 1, as_of)) == date(2025, 1, expected - 9)


def test_without_a_search_the_model_day_itself_counts(make_spec):
    assert searched_on(make_spec(), date(2025, 1, 20)) == date(2025, 1, 20)
    assert first_day_read(make_spec(), date(2025, 1, 20)) == date(2025, 1, 11)


def test_before_the_first_model_there_is_no_search(make_spec):
    with pytest.raises(HistoryTooShort):
        searched_on(searching(make_spec, "3d"), date(2025, 1, 9))


def test_known_positives_count_from_the_training_window_or_a_fixed_number_of_days_before_its_end(make_spec):
    def first(**evaluation: object) -> date | None:
        spec = make_spec(evaluation={"holdout": "2d", **evaluation})
        return first_known_positives(spec, split_days(spec, date(2025, 1, 20)))

    end = split_days(make_spec(), date(2025, 1, 20)).window[-1]
    assert first() is None
    assert first(exclude_known_positives=True) == split_days(make_spec(), date(2025, 1, 20)).first
    assert first(exclude_known_positives=True, known_positives_window="1d") == end
    assert first(exclude_known_positives=True, known_positives_window="6d") == end - timedelta(days=5)
    assert first(exclude_known_positives=True, known_positives_window="600d") == make_spec().source.start
    spec = make_spec(evaluation={"holdout": "2d", "exclude_known_positives": True, "known_positives_window": "6d"})
    assert first_day_read(spec, date(2025, 1, 20)) == end - timedelta(days=5)
    with pytest.raises(ValueError, match="known_positives_window has no effect"):
        make_spec(evaluation={"known_positives_window": "6d"})
