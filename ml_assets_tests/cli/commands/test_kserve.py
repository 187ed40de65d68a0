"""The manifest is of what is live: the challenger with its share while there is a canary, else the champion."""

import pytest
import yaml

from ml_assets.cli.commands.kserve import build_manifest
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store


@pytest.fixture
def registry(tmp_path) -> ModelRegistry:
    """Two versions; the first is the champion."""
    registry = ModelRegistry(tracking_uri=new_store(tmp_path))
    registry.client.create_registered_model("small")
    for number in (1, 2):
        registry.client.create_model_version(
            "small", f"s3://models/{number}", tags={"model_digest": f"d{number}"}, await_creation_for=0
        )
    registry.client.set_registered_model_alias("small", "champion", "1")
    return registry


def served(registry: ModelRegistry, only_champion: bool = False) -> tuple[str, int | None]:
    predictor = yaml.safe_load(build_manifest(registry, "small", only_champion, None))["spec"]["predictor"]
    return predictor["model"]["storageUri"], predictor.get("canaryTrafficPercent")


def test_the_manifest_follows_the_registry(registry):
    assert served(registry) == ("s3://models/1", None)
    registry.client.set_registered_model_alias("small", "challenger", "2")
    registry.client.set_registered_model_tag("small", "canary_percent", "25")
    assert served(registry) == ("s3://models/2", 25)
    assert served(registry, only_champion=True) == ("s3://models/1", None)
    registry.client.set_registered_model_tag("small", "canary_percent", "0")
    assert served(registry) == ("s3://models/1", None)


def test_without_a_champion_there_is_no_manifest(registry):
    registry.client.delete_registered_model_alias("small", "champion")
    with pytest.raises(ValueError, match="no version with the alias champion"):
        build_manifest(registry, "small", False, None)
