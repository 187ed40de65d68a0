"""An entity has one bucket, in a single row and in a frame, and a growing share keeps its entities."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.release.traffic_split import bucket_of, is_routed_to_challenger, route_to_challenger

ENTITIES = st.lists(st.one_of(st.none(), st.text(max_size=5), st.integers(0, 10**12)), max_size=20)


@given(st.one_of(st.text(max_size=8), st.integers(0, 10**12)), st.floats(0, 100), st.floats(0, 100))
def test_a_growing_share_keeps_the_entities_that_it_had(entity, share, other_share):
    less, more = sorted([share, other_share])
    assert is_routed_to_challenger("m", entity, more) or not is_routed_to_challenger("m", entity, less)


@given(ENTITIES, st.integers(0, 100))
def test_rows_of_a_frame_are_routed_by_their_entity(entities, percent):
    rows = route_to_challenger("m", pd.Series(entities, dtype=object), percent)
    assert rows.tolist() == [is_routed_to_challenger("m", entity, percent) for entity in entities]


def test_integers_have_the_same_bucket_in_every_type_of_a_frame():
    numbers = [3, 77, 1_000_000]
    expected = [is_routed_to_challenger("m", number, 50) for number in numbers]
    for kind in ("int64", "Int64", "int32"):
        assert route_to_challenger("m", pd.Series(numbers, dtype=kind), 50).tolist() == expected


@pytest.mark.parametrize(("percent", "expected"), [(0, False), (100, True)])
def test_zero_percent_routes_no_entity_and_all_percent_every_known_one(percent, expected):
    assert route_to_challenger("m", pd.Series(["a", "b"]), percent).tolist() == [expected] * 2
    assert not is_routed_to_challenger("m", None, percent)
    assert not route_to_challenger("m", pd.Series([None, pd.NA], dtype="string"), percent).any()


def test_entities_spread_evenly_and_otherwise_for_another_model():
    places = np.array([bucket_of("m", f"card-{number}") for number in range(20_000)])
    assert np.histogram(places, bins=20, range=(0, 100))[0] == pytest.approx(np.full(20, 1000), abs=150)
    others = np.array([bucket_of("n", f"card-{number}") for number in range(20_000)])
    assert abs(np.corrcoef(places, others)[0, 1]) < 0.03


@given(st.lists(st.text(st.sampled_from("\x00ab"), max_size=4), max_size=20))
def test_text_with_nul_characters_has_buckets_of_its_own(entities):
    rows = route_to_challenger("m", pd.Series(entities, dtype=object), 50)
    assert rows.tolist() == [is_routed_to_challenger("m", entity, 50) for entity in entities]
