"""The holdout excludes rows of entities that were known as positive before the day of the row began, and no others."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_assets.core.evaluation.holdout_metrics import exclude_known_positives

DAY = date(2025, 2, 1)


def _day(offset):
    return DAY + timedelta(days=offset)


@pytest.fixture
def excluding_spec(make_spec):
    """Label delay of 2 days: on day x the labels of days up to x - 3 are known."""
    return make_spec(evaluation={"exclude_known_positives": True})


def _events(*rows):
    return pd.DataFrame([(_day(offset), card, label) for offset, card, label in rows], columns=["day", "card", "label"])


def test_an_entity_is_excluded_from_the_day_on_which_its_label_is_known(excluding_spec):
    earlier = _events((0, "x", 1), (0, "y", 0))
    holdout = _events(*[(offset, card, 0) for offset in (2, 3, 4) for card in "xy"])
    kept = exclude_known_positives(excluding_spec, holdout, [_day(2), _day(3), _day(4)], pd.concat([earlier, holdout]))
    assert list(zip(kept["day"], kept["card"], strict=True)) == [
        (_day(2), "x"),
        (_day(2), "y"),
        (_day(3), "y"),
        (_day(4), "y"),
    ]
    assert kept.index.tolist() == [0, 1, 3, 5]


def test_positive_inside_the_holdout_counts_once_it_is_known(excluding_spec):
    holdout = _events((0, "x", 1), (1, "x", 1), (2, "x", 0), (3, "x", 0))
    kept = exclude_known_positives(excluding_spec, holdout, [_day(offset) for offset in range(4)], holdout)
    assert kept["day"].tolist() == [_day(0), _day(1), _day(2)]


def test_all_rows_stay_by_default(make_spec):
    holdout = _events((9, "x", 0))
    assert exclude_known_positives(make_spec(), holdout, [_day(9)], _events((0, "x", 1))) is holdout


@pytest.mark.parametrize(
    "labels", [pd.array([None, 1], dtype="Int64"), pd.array([None, True], dtype="boolean"), [None, True], [0.0, 1.0]]
)
def test_missing_labels_and_entities_exclude_no_row(excluding_spec, labels):
    earlier = _events((0, "x", 0), (0, None, 0)).assign(label=labels)
    holdout = _events((9, "x", 0), (9, None, 0))
    assert len(exclude_known_positives(excluding_spec, holdout, [_day(9)], earlier)) == 2


@pytest.mark.parametrize("dtype", ["Int64", "int64", "category"])
def test_entities_of_every_type_are_recognized(excluding_spec, dtype):
    earlier, holdout = (
        _events((0, 1, 1), (0, 2, 0)).astype({"card": dtype}),
        _events((9, 1, 0), (9, 2, 0)).astype({"card": dtype}),
    )
    assert exclude_known_positives(excluding_spec, holdout, [_day(9)], earlier)["card"].tolist() == [2]


def test_no_known_positives_and_no_rows_change_nothing(excluding_spec):
    holdout = _events((9, "x", 0))
    assert len(exclude_known_positives(excluding_spec, holdout, [_day(9)], _events())) == 1
    assert len(exclude_known_positives(excluding_spec, holdout.iloc[:0], [_day(9)], holdout)) == 0


def test_row_of_another_day_is_refused(excluding_spec):
    with pytest.raises(ValueError, match=f"rows of {_day(8)}"):
        exclude_known_positives(excluding_spec, _events((8, "x", 0)), [_day(9)], _events())


def test_missing_column_of_earlier_rows_is_named(excluding_spec):
    with pytest.raises(ValueError, match="no column label in the earlier rows"):
        exclude_known_positives(excluding_spec, _events((9, "x", 0)), [_day(9)], _events().drop(columns="label"))


# make_spec only builds a value, so that examples can share it.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("xyz"), st.integers(0, 1)), max_size=20))
def test_rows_kept_are_those_of_the_handbook_protocol(excluding_spec, rows):
    """Day by day as the Fraud Detection Handbook does it: the pool of known entities grows by the day that has just
    become known.
    """
    events = _events(*rows)
    first_holdout, delay = 5, 2
    known = {card for offset, card, label in rows if label and offset < first_holdout - delay - 1}
    expected = []
    for offset in range(first_holdout, 10):
        known |= {card for day, card, label in rows if label and day == offset - delay - 1}
        expected += [(_day(offset), card) for day, card, _ in rows if day == offset and card not in known]
    holdout = events[events["day"].isin([_day(offset) for offset in range(first_holdout, 10)])]
    kept = exclude_known_positives(
        excluding_spec, holdout, [_day(offset) for offset in range(first_holdout, 10)], events
    )
    assert sorted(zip(kept["day"], kept["card"], strict=True)) == sorted(expected)
