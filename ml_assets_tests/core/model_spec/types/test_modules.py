"""A missing module is found by name, without an import."""

import pytest

from ml_assets.core.model_spec.types.modules import missing_module


@pytest.mark.parametrize(
    ("module", "missing"),
    [
        ("json.decoder", None),
        ("nowhere.at_all", "nowhere"),
        ("json.nowhere", "json.nowhere"),
        ("json.decoder.deep", "json.decoder.deep"),
        ("json.not-a-name", "json.not-a-name"),
    ],
)
def test_the_first_missing_part_of_a_module_is_named(module, missing):
    assert missing_module(module) == missing
