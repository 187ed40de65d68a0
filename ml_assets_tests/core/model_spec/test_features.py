"""Features that are incomplete, or whose function cannot be found, are refused."""

import sys

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused, change


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("features.1.windows", [], "give windows"),
        ("features.1.last_rows", [3], "belong together"),
        ("features.1.value", None, "value is missing"),
        ("features.0.kind", "magic", "magic"),
        (
            "features.0",
            {"kind": "custom", "function": "nowhere.at_all:f", "outputs": ["x"]},
            "the module nowhere was not found",
        ),
        (
            "features.0",
            {"kind": "custom", "function": "ml_assets.nowhere:f", "outputs": ["x"]},
            "the module ml_assets.nowhere was not found",
        ),
        (
            "features.0",
            {"kind": "custom", "function": "json.decoder.deep:f", "outputs": ["x"]},
            "the module json.decoder.deep was not found",
        ),
    ],
)
def test_an_incomplete_feature_is_refused_with_the_reason(small, path, value, reason):
    assert_refused(small, path, value, reason)


def test_the_module_of_a_custom_function_is_found_but_not_imported(small):
    sys.modules.pop("wsgiref", None)
    ModelSpec.model_validate(
        change(small, "features.0", {"kind": "custom", "function": "wsgiref.validate:validator", "outputs": ["x"]})
    )
    assert "wsgiref" not in sys.modules
