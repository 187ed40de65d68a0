"""The target is encoded as the numbers of its task, and a label of no class is refused."""

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.model.target import encode_target
from ml_assets.core.model_spec import ModelSpec

LABEL = {"type": "string", "allowed": ["no", "yes"]}


def spec_of(attributes: dict, column: dict, **changes: object) -> ModelSpec:
    attributes["columns"]["label"] = {**column, "nullable": True}
    return ModelSpec.model_validate({**attributes, **changes})


@pytest.mark.parametrize(
    ("column", "changes", "values", "encoded"),
    [
        ({"type": "boolean"}, {}, [True, False, None], [1, 0, np.nan]),
        ({"type": "integer", "allowed": [0, 1]}, {}, [0, 1, None], [0, 1, np.nan]),
        ({"type": "boolean"}, {"positive": False}, [True, False, None], [0, 1, np.nan]),
        (LABEL, {"positive": "yes"}, ["no", "yes", None], [0, 1, np.nan]),
        ({"type": "integer", "allowed": [1, 2]}, {"positive": 1}, [1, 2, None], [1, 0, np.nan]),
    ],
)
def test_a_binary_target_is_0_or_1(small, column, changes, values, encoded):
    kinds = {"boolean": "boolean", "integer": "Int64", "string": object}
    spec = spec_of(small, column, **changes)
    np.testing.assert_array_equal(encode_target(spec, pd.Series(values, dtype=kinds[column["type"]])), encoded)


def test_a_label_of_no_class_is_refused(small):
    spec = spec_of(small, LABEL, positive="yes")
    with pytest.raises(ValueError, match="the target label must be one of no, yes, not 'maybe'"):
        encode_target(spec, pd.Series(["yes", "maybe"]))
    with pytest.raises(ValueError, match="the target label must be 0 or 1 in every labelled row, not 2"):
        encode_target(spec_of(small, {"type": "integer", "allowed": [0, 1]}), pd.Series([0, 2]))
