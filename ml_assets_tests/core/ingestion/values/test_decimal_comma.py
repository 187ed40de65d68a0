"""With a decimal comma, a point is never a decimal separator."""

import pyarrow as pa
import pytest

from ml_assets.core.ingestion.values.decimal_comma import convert_with_comma

TEXTS = ["1,5", "-0,25", "1.234,5", "1.234", "7", "", None]


def test_numbers_have_a_decimal_comma_and_unreadable_texts_stay_as_they_landed():
    values, texts = convert_with_comma(pa.chunked_array([TEXTS[:2], TEXTS[2:]], pa.string()), "number", "UTC")
    assert values.to_pylist() == [1.5, -0.25, None, None, 7.0, None, None]
    assert texts is not None
    assert texts.to_pylist() == [None, None, "1.234,5", "1.234", None, None, None]


def test_integers_may_have_zeros_after_the_comma():
    values, texts = convert_with_comma(pa.chunked_array([["3,0", "3.0"]], pa.string()), "integer", "UTC")
    assert values.to_pylist() == [3, None]
    assert texts is not None
    assert texts.to_pylist() == [None, "3.0"]


@pytest.mark.parametrize("texts", [[], [None]])
def test_a_column_without_text_has_no_values(texts):
    values, unreadable = convert_with_comma(pa.chunked_array([texts], pa.string()), "number", "UTC")
    assert values.to_pylist() == texts
    assert unreadable is None


def test_other_types_are_not_affected():
    values, _ = convert_with_comma(pa.chunked_array([["a.b,c"]], pa.string()), "string", "UTC")
    assert values.to_pylist() == ["a.b,c"]
