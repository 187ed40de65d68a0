"""A named metric of features has a column where its aggregate needs one, and bounds in order."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec.types.feature_metric import Metric


def test_a_metric_of_rows_takes_no_column_and_any_other_needs_one():
    assert Metric(name="rows_of_day", aggregate="rows").column is None
    for fields in ({"aggregate": "rows", "column": "a"}, {"aggregate": "mean"}):
        with pytest.raises(ValidationError, match="column"):
            Metric.model_validate({"name": "m", **fields})


def test_bounds_are_in_order():
    with pytest.raises(ValidationError, match="at_least 2 is above at_most 1"):
        Metric.model_validate({"name": "m", "aggregate": "rows", "at_least": 2, "at_most": 1})
