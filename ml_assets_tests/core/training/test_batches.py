"""Days form batches of about the specified size."""

from datetime import date, timedelta

import pandas as pd
import pytest

from ml_assets.core.model.preprocessing import PreprocessingFit
from ml_assets.core.training.batches import LabelledDays
from ml_assets_tests.conftest import SMALL

DAYS = [date(2025, 1, 1) + timedelta(days=n) for n in range(6)]


def frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"label": [0, 1] * (rows // 2), "amount": 1.0, "count_by_card_1d": 2.0, "amount_mean_by_card_1d": 3.0}
    )


def sizes(make_spec, batch_rows: int, rows: dict[date, int]) -> list[int]:
    spec = make_spec(training={**SMALL["training"], "batch_rows": batch_rows})
    fitting = PreprocessingFit(spec)
    fitting.add(frame(2))
    days = LabelledDays(spec, lambda day: frame(rows[day]))
    batches = days.batches(DAYS, fitting.fitted())
    return [len(batch.matrix) for batch in batches if len(batch.matrix) == len(batch.labels)]


@pytest.mark.parametrize(
    ("batch_rows", "rows", "expected"),
    [
        (1000, [10] * 6, [60]),
        (20, [10] * 6, [20, 20, 20]),
        (25, [10] * 6, [30, 30]),
        (20, [100, 10, 10, 10, 10, 10], [100, 20, 20, 10]),
        (20, [10, 0, 0, 10, 10, 0], [20, 10]),
        (20, [0] * 6, []),
    ],
)
def test_consecutive_days_share_a_batch_until_it_is_full(make_spec, batch_rows, rows, expected):
    assert sizes(make_spec, batch_rows, dict(zip(DAYS, rows, strict=True))) == expected


def test_rows_without_a_label_are_left_out(make_spec):
    unlabelled = frame(4).assign(label=pd.array([0, None, 1, None], dtype="Int64"))
    assert len(LabelledDays(make_spec(), lambda day: unlabelled).frame(DAYS[0])) == 2


def test_a_day_without_a_feature_is_named(make_spec):
    days = LabelledDays(make_spec(), lambda day: frame(2).drop(columns="amount"))
    with pytest.raises(ValueError, match="the features of 2025-01-01 have no column amount"):
        days.frame(DAYS[0])
