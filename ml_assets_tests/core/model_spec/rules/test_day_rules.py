"""A source that ends has enough days for a model, or the specification is refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import HistoryTooShort, first_model_day, split_days
from ml_assets_tests.conftest import SMALL

START = date(2025, 1, 1)


def test_windows_longer_than_the_data_are_refused_with_field_and_days(make_spec):
    # 4 days of training, 2 of holdout, and twice 2 of delay.
    make_spec(source={"files": "{day}/*", "start": "2025-01-01", "end": "2025-01-10"})
    reason = (
        "training.window: a model needs 10 days (training.window 4, evaluation.holdout 2, twice label_delay 2), but "
        "from source.start 2025-01-01 to source.end 2025-01-09 there are 9; shorten the windows, or correct"
    )
    with pytest.raises(ValueError, match=r"training\.window") as refused:
        make_spec(source={"files": "{day}/*", "start": "2025-01-01", "end": "2025-01-09"})
    assert reason in str(refused.value)


@given(st.integers(0, 40), st.integers(2, 20), st.integers(1, 9), st.integers(0, 5))
def test_what_is_accepted_has_a_model_on_its_last_day_and_what_is_refused_has_none(days, window, holdout, delay):

    def spec(**source) -> ModelSpec:
        changes = {"source": {**SMALL["source"], **source}, "label_delay": f"{delay}d"}
        changes |= {"training": {**SMALL["training"], "window": f"{window}d"}}
        return ModelSpec.model_validate({**SMALL, **changes, "evaluation": {"holdout": f"{holdout}d", "top_k": 5}})

    end = START + timedelta(days=days)
    try:
        split_days(spec(), end)
        assert first_model_day(spec(end=str(end))) <= end
    except HistoryTooShort:
        with pytest.raises(ValueError, match=r"training\.window: a model needs"):
            spec(end=str(end))
