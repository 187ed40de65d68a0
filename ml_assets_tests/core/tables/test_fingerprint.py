"""Fingerprints change with code, spec and inputs, and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.tables.fingerprint import (
    CHANGED_CODE,
    CHANGED_INPUT,
    CHANGED_SPEC,
    EXPIRED,
    NEW,
    WHOLE_BITS,
    digest,
    fingerprint,
    supersede,
    why_changed,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, JSON)
def test_a_fingerprint_fits_a_delta_transaction_version_and_is_repeatable(spec_part, value):
    built = fingerprint("code", spec_part, [value])
    assert 0 < built < 2**63
    assert built == fingerprint("code", spec_part, [value])


def test_no_fingerprint_stands_for_removed_rows(monkeypatch):
    monkeypatch.setattr("ml_assets.core.tables.fingerprint.digest", lambda *parts: "0" * 64)
    assert fingerprint("code", {}, []) != EXPIRED


def test_each_part_counts():
    base = fingerprint("code", {"a": 1}, [["2025-01-01", 5]])
    others = [
        fingerprint("edited", {"a": 1}, [["2025-01-01", 5]]),
        fingerprint("code", {"a": 2}, [["2025-01-01", 5]]),
        fingerprint("code", {"a": 1}, [["2025-01-01", 6]]),
        fingerprint("code", {"a": 1}, []),
    ]
    assert len({base, *others}) == 5


@pytest.mark.parametrize("code", ["code", "edited"])
@pytest.mark.parametrize("spec_part", [{"a": 1}, {"a": 2}])
@pytest.mark.parametrize("value", [5, 6])
def test_the_changed_part_is_named(code, spec_part, value):
    changed = why_changed(
        fingerprint("code", {"a": 1}, [["2025-01-01", 5]]), fingerprint(code, spec_part, [["2025-01-01", value]])
    )
    expected = {CHANGED_CODE: code == "edited", CHANGED_SPEC: spec_part == {"a": 2}, CHANGED_INPUT: value == 6}
    assert changed == tuple(name for name, holds in expected.items() if holds)


def test_a_day_that_was_never_committed_is_new():
    assert why_changed(None, fingerprint("code", {}, [])) == (NEW,)


@given(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))
def test_two_fingerprints_differ_exactly_when_there_is_a_reason(committed, expected):
    assert bool(why_changed(committed, expected)) == (committed != expected)


def test_a_change_that_no_part_shows_is_called_a_changed_input():
    built = fingerprint("code", {}, [1])
    assert why_changed(built, built ^ 1) == (CHANGED_INPUT,)
    assert (built ^ 1) >> WHOLE_BITS == built >> WHOLE_BITS


def test_parts_collide_with_the_documented_probability():
    """10 bits: of 2000 changes of the input alone some two are taken for a change that no part shows, and none is
    overlooked.
    """
    base = fingerprint("code", {}, [0])
    others = [fingerprint("code", {}, [number]) for number in range(1, 2001)]
    assert {why_changed(base, other) for other in others} == {(CHANGED_INPUT,)}
    edited = [why_changed(base, fingerprint(f"code {number}", {}, [0])) for number in range(2000)]
    assert 2000 - edited.count((CHANGED_CODE,)) < 12
    assert () not in edited


def test_the_order_of_fields_does_not_count():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


@given(JSON, st.text())
def test_a_superseded_fingerprint_fits_no_inputs_and_says_that_the_spec_changed(spec_part, reason):
    built = fingerprint("code", spec_part, ["file"])
    superseded = supersede(built, reason)
    assert 0 < superseded < 2**63
    assert why_changed(superseded, built) == (CHANGED_SPEC,)
    assert superseded != supersede(superseded, reason)
