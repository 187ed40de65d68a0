"""A profile summarizes a column, whatever the order of its rows."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.profiling.profiles import profile_columns, read_profiles
from ml_assets.core.tables.schemas import PROFILE_SCHEMA
from ml_assets_tests.core.profiling.profile_cases import DAY, profile_of, stored

pytestmark = pytest.mark.clock

VALUES = {
    pa.float64(): st.floats(width=64),
    pa.int64(): st.integers(-(2**53), 2**53),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=3),
}


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_the_order_of_rows_does_not_matter(kind, data):
    values = data.draw(st.lists(st.none() | VALUES[kind], min_size=1, max_size=30))
    shuffled = data.draw(st.permutations(values))
    first, second = (profile_columns(pa.table({"x": pa.array(some, kind)}), "UTC") for some in (values, shuffled))
    assert first.equals(second)
    assert first.schema == PROFILE_SCHEMA


def test_numbers_are_counted_and_measured():
    profile = profile_of([1.5, None, float("nan"), float("inf"), float("-inf"), -2.0, 1.5])
    assert (profile.kind, profile.rows, profile.missing, profile.infinite, profile.present) == ("number", 7, 2, 2, 3)
    assert (profile.minimum, profile.maximum, profile.distinct) == (-2.0, 1.5, 2)
    assert profile.mean == pytest.approx(1 / 3)
    assert profile.histogram.weights.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("values", [[1, 0, None, 1], [True, False, None, True]])
def test_the_profile_of_a_target_has_rows_labels_and_positives(values):
    profile = profile_of(values)
    assert (profile.rows, profile.present, profile.positives, profile.mean) == (4, 3, 2, pytest.approx(2 / 3))


def test_the_hundred_most_frequent_texts_are_kept_ties_in_text_order():
    profile = profile_of([f"{number:03}" for number in range(150)] + ["149", None])
    assert list(profile.values)[:3] == ["149", "000", "001"]
    assert (len(profile.values), profile.values["149"], profile.distinct, profile.missing) == (100, 2, 150, 1)
    assert profile.histogram.bins.tolist() == [3]
    assert profile.histogram.weights.tolist() == [151.0]


def test_traces_of_a_wrong_encoding_are_counted():
    good = ["café", "Ünal", "São", "plain", "Ã", "Âge"]
    broken = [
        "café".encode().decode("latin-1"),
        "Ünal".encode().decode("latin-1"),
        "caf\ufffd",
        "5 €".encode().decode("latin-1").replace("â", "Â"),
    ]
    assert (profile_of(good).non_ascii, profile_of(good).broken) == (5, 0)
    assert profile_of(broken).broken == 4


def test_times_are_local_times_of_the_source():
    moment = datetime(2025, 7, 1, 22, 30, tzinfo=ZoneInfo("UTC"))
    profile = profile_of([moment, None], pa.timestamp("us", "UTC"), "Europe/Brussels")
    assert (profile.kind, profile.minimum, profile.missing) == ("time", 1800.0, 1)
    assert profile.histogram.bins.tolist() == [6]


def test_columns_without_any_value_and_days_without_rows():
    for kind in (pa.float64(), pa.int64(), pa.bool_(), pa.string(), pa.timestamp("us", "UTC")):
        profile = profile_of([None, None], kind)
        assert (profile.rows, profile.missing, profile.present, profile.mean, profile.distinct) == (2, 2, 0, None, 0)
    assert profile_columns(pa.table({"x": pa.array([], pa.float64())}), "UTC").equals(PROFILE_SCHEMA.empty_table())
    assert read_profiles(stored(DAY, PROFILE_SCHEMA.empty_table())) == {}


def test_a_column_of_an_unsupported_type_is_named():
    with pytest.raises(TypeError, match="x: a column of type list<item: int64> has no profile"):
        profile_columns(pa.table({"x": [[1]]}), "UTC")


def test_profiles_of_several_days_are_read_by_day_and_column():
    other = DAY.replace(day=16)
    today, next_day = (profile_columns(pa.table({"x": np.arange(n), "y": ["a"] * n}), "UTC") for n in (3, 4))
    profiles = read_profiles(pa.concat_tables([stored(DAY, today), stored(other, next_day)]))
    assert {day: {name: profile.rows for name, profile in of_day.items()} for day, of_day in profiles.items()} == {
        DAY: {"x": 3, "y": 3},
        other: {"x": 4, "y": 4},
    }
    assert profiles[other]["y"].values == {"a": 4}


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_times_at_the_ends_of_the_years_have_a_profile(zone):
    ends = pa.array([datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)], pa.timestamp("us")).cast(
        pa.timestamp("us", "UTC")
    )
    (profile,) = profile_columns(pa.table({"x": ends}), zone).to_pylist()
    assert (profile["rows"], profile["missing"], profile["distinct"]) == (2, 0, 2)
