"""The days of a model: what was known when, and nothing twice."""

from datetime import date

import pytest

from ml_assets.core.splits import HistoryTooShort, split_days


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
