"""The private names of MLflow and dagster-mlflow that `resources/mlflow_internals` relies on. Each test is named after
the feature that breaks when a dependency changes them.
"""

import inspect
import sqlite3
from contextlib import closing

import mlflow
import pytest

from ml_assets.resources.mlflow_internals import empty_store
from ml_assets.resources.mlflow_internals.schema_revision import latest_schema_revision


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_active_experiment():
    from mlflow.environment_variables import MLFLOW_EXPERIMENT_ID
    from mlflow.tracking import fluent

    assert fluent._active_experiment_id is None
    assert "_active_experiment_id" in fluent._get_experiment_id.__code__.co_names
    assert {"get", "set", "unset", "is_set"} <= set(dir(MLFLOW_EXPERIMENT_ID))


def test_artifact_deletion():
    from mlflow.store.artifact.artifact_repo import ArtifactRepository
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    assert parameters(get_artifact_repository)[:2] == ["artifact_uri", "tracking_uri"]
    assert parameters(ArtifactRepository.delete_artifacts) == ["self", "artifact_path"]


def test_dagster_mlflow_resource():
    from dagster_mlflow.resources import MlFlow

    assert parameters(MlFlow.__init__) == ["self", "context"]
    names = set(inspect.unwrap(MlFlow.__init__).__code__.co_names)
    assert {"log", "run_id", "dagster_run", "resource_config", "tracking_client", "experiment"} <= names


def test_schema_revision():
    assert latest_schema_revision().isalnum()


def test_empty_store():
    if not empty_store.TEMPLATE.read_text().startswith(f"-- MLflow {mlflow.__version__}\n"):
        pytest.skip("the template is that of the pinned version of MLflow")
    assert empty_store.generate_template() == empty_store.TEMPLATE.read_text(), "run `make docs`"


def test_the_template_of_another_version_is_not_used(tmp_path, monkeypatch):
    path = tmp_path / "mlflow.db"
    monkeypatch.setattr(mlflow, "__version__", "0.0.1")
    assert not empty_store.write_empty_store(path)
    assert not path.exists()
    monkeypatch.undo()
    assert empty_store.write_empty_store(path)
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("SELECT version_num FROM alembic_version").fetchone() == (latest_schema_revision(),)
