"""Fingerprints change with code, spec and inputs, and with nothing else."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.fingerprint import EXPIRED, code_version, digest, fingerprint

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(JSON, JSON)
def test_a_fingerprint_fits_a_delta_transaction_version_and_is_repeatable(spec_part, value):
    made = fingerprint("code", spec_part, [value])
    assert 0 < made < 2**63
    assert made == fingerprint("code", spec_part, [value])


def test_no_fingerprint_stands_for_removed_rows(monkeypatch):
    monkeypatch.setattr("ml_assets.core.fingerprint.digest", lambda *parts: "0" * 64)
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


def test_the_order_of_fields_does_not_count():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_code_version_follows_the_source_of_a_module(tmp_path, monkeypatch):
    module = tmp_path / "a_stage_module.py"
    module.write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = code_version("a_stage_module")
    module.write_text("x = 2\n")
    code_version.cache_clear()
    assert code_version("a_stage_module") != before
    assert "a_stage_module" not in sys.modules


def test_code_version_follows_what_a_module_imports_from_the_core(tmp_path, monkeypatch):
    (tmp_path / "imports_nothing.py").write_text("x = 1\n")
    (tmp_path / "imports_gates.py").write_text("x = 1\nfrom ml_assets.core.gates import judge\n")
    monkeypatch.syspath_prepend(tmp_path)
    alone = code_version("imports_gates", "imports_nothing")
    assert alone == code_version("imports_gates", "imports_nothing", "ml_assets.core.gates")
    assert code_version("imports_nothing") != code_version("imports_nothing", "ml_assets.core.gates")


def test_code_version_of_a_missing_module_is_refused():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        code_version("no_such_module")
