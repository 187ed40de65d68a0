"""Keys that differ in form only have one canonical form, and the difference is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.validation.key_form import canonical_form, describe_difference


@pytest.mark.parametrize(
    ("label", "row", "difference"),
    [
        ("123", "00123", "leading zeros"),
        (" a1", "a1", "surrounding space, quotes or invisible characters"),
        ("a1\ufeff", "a1", "surrounding space, quotes or invisible characters"),
        ("'00123", "00123", "surrounding space, quotes or invisible characters"),
        ("AB12", "ab12", "letter case"),
        ("123.0", "123", "a trailing .0"),
        ("1,234,567", "1234567", "digit separators"),
        ("1.234.567", "1234567", "digit separators"),
        ("1.2345E+05", "123450", "an exponent"),
        (
            "0F8FAD5B-D9CB-469F-A165-70867728950E",
            "0f8fad5bd9cb469fa16570867728950e",
            "letter case and digit separators",
        ),
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
