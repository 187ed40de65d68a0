"""Bounds of slices are only on metrics that are measured on slices."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import change


def test_slice_bounds_are_for_metrics_that_are_measured_on_slices(small):
    change(small, "evaluation.slices", ["card"])
    assert (
        ModelSpec.model_validate(change(small, "gates", {"recall": {"minimum": 0, "slice_minimum": 0.5}}))
        .gates["recall"]
        .has_slice_bounds()
    )
    with pytest.raises(ValidationError, match="precision_at_k, which is not measured on slices"):
        ModelSpec.model_validate(change(small, "gates", {"precision_at_k": {"minimum": 0, "slice_minimum": 0.5}}))
