"""A derived target is positive where its rule holds, and missing where its column is."""

import pyarrow as pa
import pytest

from ml_assets.core.model_spec.types.derived_target import DerivedTarget
from ml_assets.core.validation.derived_target import derive_target


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        ({"above": 30}, [30.0, 30.5, None, -1.0], [False, True, None, False]),
        ({"above": 30.5}, [30, 31, None], [False, True, None]),
        ({"below": 3}, [1, 3, None], [True, False, None]),
        ({"equals": "late"}, ["late", "on time", None], [True, False, None]),
        ({"equals": False}, [True, False, None], [False, True, None]),
        ({"in": ["late", "cancelled"]}, ["late", "on time", None], [True, False, None]),
        ({"in": [1, 2]}, [1, 3, None], [True, False, None]),
    ],
)
def test_a_rule_is_applied_to_each_value(rule, values, expected):
    target = DerivedTarget.model_validate({"column": "value", **rule})
    assert derive_target(target, pa.chunked_array([values])).to_pylist() == expected
