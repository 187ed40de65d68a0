"""A trial is read back from its document unchanged, to the last digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.training.trials import PARAMETER_SEARCH_SCHEMA, SearchResult, Trial

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.text(max_size=5), NUMBERS), NUMBERS, st.booleans())
def test_a_trial_is_read_back_unchanged(parameters, value, pruned):
    trial = Trial(3, parameters, [{"average_precision": value}], value, pruned, 1.25)
    assert Trial.from_json(trial.to_json()) == trial


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"number": 1}', b'{"number": 1, "other": 2}'])
def test_a_document_that_is_no_trial_is_refused(content):
    with pytest.raises(ValueError, match="the document is not a trial"):
        Trial.from_json(content)


def test_figures_are_columns_of_the_row():
    stated, best = Trial(0, {}, [], 0.5, False, 1.0), Trial(1, {}, [], 0.75, False, 2.0)
    figures = SearchResult(best, [stated, best, Trial(2, {}, [], 0.1, True, 0.5)], "minutes").figures()
    assert set(figures) < set(PARAMETER_SEARCH_SCHEMA.names)
    assert figures == {
        "trial": 1,
        "value": 0.75,
        "stated_value": 0.5,
        "trials": 3,
        "pruned": 1,
        "stopped_by": "minutes",
        "seconds": 3.5,
    }
