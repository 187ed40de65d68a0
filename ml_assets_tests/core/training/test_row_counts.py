"""A window without enough rows, classes or weight is refused, with what it has."""

from datetime import date

import pandas as pd
import pytest

from ml_assets.core.model.preprocessing import PreprocessingFit
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.batches import LabelledDays
from ml_assets.core.training.row_counts import Counts, TrainingDataError, check_counts, count_rows
from ml_assets.core.training.time_split import Split
from ml_assets_tests.support.changed_spec import with_task

SPLIT = Split([date(2025, 1, 1)], [date(2025, 1, 2)], [date(2025, 1, 5)])
THREE = ("a", "b", "c")


@pytest.fixture
def regression(small) -> ModelSpec:
    small["columns"] |= {"label": {"type": "number"}, "weight": {"type": "number", "minimum": 0}}
    return ModelSpec.model_validate(with_task(small, "regression", sample_weight="weight"))


@pytest.fixture
def multiclass(small) -> ModelSpec:
    small["columns"]["label"] = {"type": "string"}
    return ModelSpec.model_validate(with_task(small, "multiclass", classes=list(THREE)))


def test_a_binary_target_needs_both_classes_in_both_parts(make_spec):
    both, negatives = Counts(9, 9, (8, 1)), Counts(9, 9, (9, 0))
    check_counts(make_spec(), SPLIT, both, both)
    with pytest.raises(TrainingDataError, match=r"the fit part .* has 9 labelled rows, 0 of them positive, but both"):
        check_counts(make_spec(), SPLIT, negatives, both)
    with pytest.raises(TrainingDataError, match=r"both classes are needed; .* or lengthen training.validation"):
        check_counts(make_spec(), SPLIT, both, negatives)


def test_classes_may_be_missing_but_for_two_of_the_fit_part(multiclass):
    one_class, two_classes = Counts(4, 4, (4, 0, 0), THREE), Counts(4, 4, (2, 2, 0), THREE)
    check_counts(multiclass, SPLIT, two_classes, one_class)
    with pytest.raises(TrainingDataError, match=r"4 labelled rows \(4 of a, 0 of b, 0 of c\), but two classes"):
        check_counts(multiclass, SPLIT, one_class, two_classes)
    assert (one_class + two_classes).classes == (6, 2, 0)
    assert one_class.positives is None


def test_rows_need_a_weight(regression):
    rows, none = Counts(3, 2.5), Counts(3, 0)
    check_counts(regression, SPLIT, rows, rows)
    with pytest.raises(TrainingDataError, match="their weights in weight are all 0"):
        check_counts(regression, SPLIT, rows, none)
    with pytest.raises(TrainingDataError, match="has 0 labelled rows, but rows are needed"):
        check_counts(regression, SPLIT, Counts(0, 0), rows)


@pytest.mark.parametrize(("column", "value"), [("label", -1e39), ("weight", 1e300)])
def test_a_target_or_a_weight_that_xgboost_cannot_take_is_refused_with_its_day(regression, column, value):
    rows = pd.DataFrame({name: [1.0, 2.0] for name in (*regression.feature_names(), "label", "weight")})
    days, fitting = LabelledDays(regression, lambda _: rows), PreprocessingFit(regression)
    assert count_rows(regression, days, SPLIT.fit, fitting).rows == 2
    rows.loc[1, column] = value
    too_large = LabelledDays(regression, lambda _: rows)
    with pytest.raises(TrainingDataError, match=rf"{column} of 2025-01-01 is larger than 3.4e\+38, .* in 1 row;"):
        count_rows(regression, too_large, SPLIT.fit, fitting)
