"""The values of a target that is derived from a landed column."""

import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.model_spec.types.derived_target import DerivedTarget

_COMPARE = {"above": "greater", "below": "less", "equals": "equal"}


def derive_target(target: DerivedTarget, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return whether each value is positive by the rule of a target, as booleans; null where the value is missing."""
    ((rule, bound),) = target.rule().items()
    if rule == "in":
        is_member = pc.call_function("is_in", [values], pc.SetLookupOptions(pa.array(bound, values.type)))
        return pc.call_function("if_else", [values.is_valid(), is_member, pa.scalar(None, pa.bool_())])
    return pc.call_function(_COMPARE[rule], [values, pa.scalar(bound)])
