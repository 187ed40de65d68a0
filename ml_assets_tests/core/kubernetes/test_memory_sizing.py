"""Memory grows with what a step reads, from a base to a maximum."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.kubernetes.memory_sizing import chunk_memory, largest_day, memory_for, to_bytes
from ml_assets.core.model_spec.compute import MemoryRule

RULE = MemoryRule(base="1Gi", per_input_byte=2, maximum="4Gi")


def test_amounts_are_read_in_kubernetes_notation():
    assert to_bytes("1Mi") == 1024**2
    assert to_bytes("3Gi") == 3 * 1024**3


def test_memory_is_base_plus_an_amount_for_each_input_byte_rounded_up():
    assert memory_for(RULE, 0) == "1024Mi"
    assert memory_for(RULE, 1024**3) == "3072Mi"
    assert memory_for(RULE, 1) == "1025Mi"


def test_memory_never_exceeds_the_maximum():
    assert memory_for(RULE, 1024**4) == "4096Mi"


@given(st.integers(0, 2**50), st.integers(0, 2**50))
def test_more_input_never_gets_less_memory(first, second):
    small, large = sorted((first, second))
    assert to_bytes(memory_for(RULE, small)) <= to_bytes(memory_for(RULE, large)) <= to_bytes(RULE.maximum)


def test_the_largest_day_counts_exactly_the_days_that_it_reads():
    first = date(2025, 1, 1)
    rows = {first + timedelta(days=n): 10**n for n in range(5)}
    labels = {date(2025, 1, 2): 7}
    days = [date(2025, 1, 2), date(2025, 1, 4)]
    assert largest_day([(rows, -1, 0)], days) == 1000 + 100
    assert largest_day([(rows, -1, 0), (labels, -2, -2)], days) == 1000 + 100 + 7
    assert largest_day([(rows, -1, 0)], days[:1]) == 10 + 1


def test_a_run_without_days_or_inputs_reads_nothing():
    assert largest_day([], [date(2025, 1, 1)]) == largest_day([({}, 0, 0)], []) == 0


@pytest.mark.parametrize(
    ("budget", "of_step", "expected"),
    [
        ("1Gi", "2Gi", 1024),
        ("4Gi", "2Gi", 1536),
        ("1Gi", "512Mi", 0),
        ("1Gi", {"base": "1Gi", "per_input_byte": 10, "maximum": "8Gi"}, 512),
    ],
)
def test_a_chunk_takes_no_more_than_the_step_has_beside_its_process(budget: str, of_step, expected: int, make_spec):
    spec = make_spec(backfill={"memory": budget}, compute={"data": {"memory": of_step}})
    assert chunk_memory(spec) == expected * 2**20
