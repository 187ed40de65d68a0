"""Text with NUL characters is kept apart wherever rows are grouped by it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.tables.nul_characters import escape_nul, factorize

TEXTS = st.lists(st.none() | st.text(st.sampled_from("\x00\x01\x02a"), max_size=4) | st.text(max_size=3), max_size=20)


@pytest.mark.parametrize("dtype", [object, "string"])
@given(TEXTS)
def test_every_text_has_a_number_of_its_own(dtype, texts):
    codes, distinct = factorize(pd.Series(texts, dtype=dtype))
    assert [None if code < 0 else distinct[code] for code in codes] == texts
    assert list(distinct) == list(dict.fromkeys(text for text in texts if text is not None))


@given(TEXTS)
def test_different_texts_stay_different_and_equal_ones_equal(texts):
    single = [None if text is None else escape_nul(pd.Series([text], dtype=object))[0] for text in texts]
    assert escape_nul(pd.Series(texts, dtype=object)).tolist() == single
    escaped = escape_nul(pd.Series(texts, dtype=object))
    assert escaped.nunique() == len({text for text in texts if text is not None})
    assert escaped.groupby(escaped).ngroups == escaped.nunique()
    assert not escaped.str.contains("\0").any()


def test_other_columns_stay():
    for column in (pd.Series([1, 2]), pd.Series(["a", None], dtype=object), pd.Series(["\0"], dtype="category")):
        assert escape_nul(column) is column


def test_sorted_numbers_follow_the_order_of_the_text():
    codes, _ = factorize(pd.Series(["b", "a\0c", "a\0b", None], dtype=object), sort=True)
    assert codes.tolist() == [2, 1, 0, -1]
    assert np.asarray(codes).dtype.kind == "i"
