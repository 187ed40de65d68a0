"""Versions are listed with their aliases, deleted only without an alias, and deleted together with their logged model
and its files.
"""

from datetime import date
from pathlib import Path

import pytest

from ml_assets.core.operations.retention import ModelVersion
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.registry.cleanup import (
    UnknownVersion,
    delete_logged_model,
    delete_version,
    logged_models,
    registered_versions,
)
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets_tests.resources.mlflow.mlflow_cases import context, new_store, record

FIRST, SECOND = date(2025, 3, 1), date(2025, 3, 2)


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    """Register two versions; the second is the champion."""
    uri = new_store(tmp_path)
    registry = ModelRegistry(tracking_uri=uri)
    with ExperimentTracking(tracking_uri=uri).run(context(), "fraud") as run:
        registry.register(run, record("a1", FIRST))
        registry.register(run, record("b2", SECOND))
    registry.client.set_registered_model_alias("fraud", "champion", "2")
    return registry


def test_versions_are_deleted_unless_an_alias_points_to_them_now(registry):
    client = registry.client
    assert registered_versions(client, "fraud") == [
        ModelVersion(1, FIRST, "a1"),
        ModelVersion(2, SECOND, "b2", ("champion",)),
    ]
    assert registered_versions(client, "nothing") == []
    client.set_registered_model_alias("fraud", "shadow", "1")
    assert not delete_version(client, "fraud", 1)
    client.delete_registered_model_alias("fraud", "shadow")
    assert delete_version(client, "fraud", 1)
    # Deleted already, by a run that was killed after it.
    assert delete_version(client, "fraud", 1)
    assert [version.number for version in registered_versions(client, "fraud")] == [2]


def test_a_logged_model_is_deleted_with_its_files_and_its_run_stays(registry):
    client = registry.client
    run_id = client.get_model_version("fraud", "1").run_id
    (model,) = logged_models(client, "fraud")["a1"]
    files = Path(model.artifact_location.removeprefix("file://"))
    assert (files / "MLmodel").exists()
    delete_logged_model(client, model)
    assert not files.exists()
    assert list(logged_models(client, "fraud")) == ["b2"]
    assert client.get_run(run_id).data.metrics
    assert logged_models(client, "nothing") == {}


def test_a_version_without_tags_stops_the_cleanup(registry):
    registry.client.create_model_version("fraud", "file:///elsewhere", tags={"day": "2025-03-03"})
    with pytest.raises(UnknownVersion, match="version 3 of fraud in the registry has no tags day and model_digest"):
        registered_versions(registry.client, "fraud")
