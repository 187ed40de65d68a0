"""The live versions are read from the registry in one request."""

import pytest

from ml_assets.resources.registry.live_versions import read_released
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store


@pytest.fixture
def registry(tmp_path) -> ModelRegistry:
    registry = ModelRegistry(tracking_uri=new_store(tmp_path))
    registry.client.create_registered_model("small")
    registry.client.create_model_version("small", "s3://models/1", await_creation_for=0)
    return registry


def test_aliases_and_share_are_read(registry):
    assert (released := read_released(registry, "small")) is not None
    assert (released.champion, released.challenger, released.percent) == (None, None, 0)
    for alias in ("champion", "challenger"):
        registry.client.set_registered_model_alias("small", alias, "1")
    registry.client.set_registered_model_tag("small", "canary_percent", "25")
    assert (released := read_released(registry, "small")) is not None
    assert (released.champion, released.challenger, released.percent) == (1, 1, 25)


@pytest.mark.parametrize("text", ["much", "-5", "101", "2.5", ""])
def test_an_invalid_share_is_an_error(registry, text):
    registry.client.set_registered_model_tag("small", "canary_percent", text)
    with pytest.raises(ValueError, match="canary_percent of small"):
        read_released(registry, "small")


def test_without_the_model_or_the_store_nothing_is_live_and_nothing_is_created(registry, tmp_path):
    assert read_released(registry, "other") is None
    assert read_released(ModelRegistry(tracking_uri=f"sqlite:///{tmp_path / 'none.db'}"), "small") is None
    assert not (tmp_path / "none.db").exists()
