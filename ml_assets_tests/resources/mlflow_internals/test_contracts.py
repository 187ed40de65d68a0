"""The private names of MLflow and dagster-mlflow that `resources/mlflow_internals` relies on. Each test is named after
the feature that breaks when a dependency changes them.
"""

import inspect
import sqlite3
from contextlib import closing
from pathlib import Path

import mlflow
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient
from mlflow.models import Model, infer_signature

from ml_assets.resources.mlflow import model_format
from ml_assets.resources.mlflow_internals import empty_store, model_folder
from ml_assets.resources.mlflow_internals.prompt_check import skip_prompt_check
from ml_assets.resources.mlflow_internals.registry_tables import RegistryTables
from ml_assets.resources.mlflow_internals.schema_revision import latest_schema_revision
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store


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


def test_artifact_picture():
    from mlflow.server import app, handlers

    assert "/get-artifact" in {rule.rule for rule in app.url_map.iter_rules()}
    source = inspect.getsource(handlers.get_artifact_handler)
    assert all(f'"{argument}"' in source for argument in ("run_uuid", "path"))


def test_artifact_upload():
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

    assert parameters(ArtifactRepository.log_artifacts) == ["self", "local_dir", "artifact_path"]


@pytest.mark.filterwarnings("ignore:.*integer column:UserWarning")
@pytest.mark.parametrize(
    "example",
    [
        pd.DataFrame({"amount": [1.5, float("nan"), 1e300], "count": [1, 2, 3], "category": ["food", None, "Käse"]}),
        pd.DataFrame({"amount": [0.25]}, index=[7]),
    ],
)
def test_model_folder(tmp_path, example):
    """The folder is the one that the public function writes, but for the places that its artifacts came from."""
    requirements = ["numpy==2.0", "xgboost==3.0.0"]
    contents = {"model.ubj": b"\x00\x01", "preprocessing.json": b'{"threshold": 0.5}'}
    source, origin = tmp_path / "scorer.py", tmp_path / "origin"
    source.write_text("FEATURES = 3\n")
    origin.mkdir()
    for name, content in contents.items():
        (origin / name).write_bytes(content)
    output = pd.DataFrame({"score": [0.5], "decision": [True]})
    identity = {"artifact_path": "file:///models/m-1/artifacts", "run_id": "r1", "model_uuid": "m-1", "model_id": "m-1"}
    descriptions = [
        Model(**identity, metadata={"name": "fraud", "day": "2025-03-01"}, signature=infer_signature(example, output))
        for _ in range(2)
    ]
    mlflow.pyfunc.save_model(
        path=str(tmp_path / "public"),
        mlflow_model=descriptions[0],
        python_model=str(model_format.MODEL_CODE),
        artifacts={name: str(origin / name) for name in contents},
        code_paths=[str(source)],
        signature=descriptions[0].signature,
        input_example=example,
        pip_requirements=requirements,
        uv_project_path=origin,
    )
    model_folder.write_model_folder(
        tmp_path / "fast", descriptions[1], model_format.MODEL_CODE, contents, source, example, requirements
    )
    public, fast = (_files(tmp_path / name) for name in ("public", "fast"))
    assert fast == public


def _files(folder: Path) -> dict[str, object]:
    """Return the content of all files, of `MLmodel` without what differs between two models."""
    files: dict[str, object] = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    description = yaml.safe_load(files["MLmodel"])  # type: ignore[arg-type]
    assert description.pop("utc_time_created")
    for artifact in description["flavors"]["python_function"]["artifacts"].values():
        assert artifact.pop("uri")
    return {**files, "MLmodel": description}


def test_dagster_mlflow_resource():
    from dagster_mlflow.resources import MlFlow

    assert parameters(MlFlow.__init__) == ["self", "context"]
    names = set(inspect.unwrap(MlFlow.__init__).__code__.co_names)
    assert {"log", "run_id", "dagster_run", "resource_config", "tracking_client", "experiment"} <= names


def test_prompt_check(tmp_path, monkeypatch):
    changes = ("set_registered_model_alias", "set_registered_model_tag", "delete_registered_model_alias")
    assert all("_raise_if_prompt" in getattr(MlflowClient, name).__code__.co_names for name in changes)
    uri = new_store(tmp_path)
    client = MlflowClient(uri, uri)
    client.create_registered_model("fraud")
    reads = []
    read = MlflowClient.get_registered_model
    monkeypatch.setattr(MlflowClient, "get_registered_model", lambda self, name: reads.append(name) or read(self, name))
    client.set_registered_model_tag("fraud", "paused", "true")
    assert reads == ["fraud"]
    skip_prompt_check(client)
    client.set_registered_model_tag("fraud", "paused", "false")
    assert reads == ["fraud"]
    assert client.get_registered_model("fraud").tags == {"paused": "false"}


def test_schema_revision():
    assert latest_schema_revision().isalnum()


def test_empty_store():
    if not empty_store.TEMPLATE.read_text().startswith(f"-- MLflow {mlflow.__version__}\n"):
        pytest.skip("the template is that of the pinned version of MLflow")
    assert empty_store.generate_template() == empty_store.TEMPLATE.read_text(), "run `make docs`"


def test_the_template_of_another_version_is_not_used(tmp_path, monkeypatch):
    path = tmp_path / "mlflow.db"
    monkeypatch.setattr(empty_store, "version", lambda package: "0.0.1")
    assert not empty_store.write_empty_store(path)
    assert not path.exists()
    monkeypatch.undo()
    assert empty_store.write_empty_store(path)
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("SELECT version_num FROM alembic_version").fetchone() == (latest_schema_revision(),)


def test_registry_tables(tmp_path, monkeypatch):
    """The tables say the same as MLflow's client, whatever was created, deleted, tagged or given an alias."""
    uri = new_store(tmp_path)
    client, tables = MlflowClient(uri, uri), RegistryTables(tmp_path / "mlflow.db")
    assert tables.has_known_schema()
    assert (tables.model("small"), tables.versions("small"), tables.source("small", 1)) == (None, [], None)
    for name in ("small", "other"):
        client.create_registered_model(name, {"release": "3"})
        for number in (1, 2, 3):
            tags = {"model_digest": f"{name}{number % 2}", "day": "2026-01-01"} if number < 3 or name == "small" else {}
            client.create_model_version(name, f"file:///{name}/{number}", tags=tags, await_creation_for=0)
        client.set_registered_model_alias(name, "champion", "2")
    client.delete_model_version("small", "1")

    expected, stored = client.get_registered_model("small"), tables.model("small")
    assert stored is not None
    assert {alias: int(number) for alias, number in expected.aliases.items()} == stored.aliases
    assert expected.tags == stored.tags
    assert expected.creation_timestamp == stored.creation_timestamp
    assert expected.last_updated_timestamp == stored.last_updated_timestamp
    for name in ("small", "other"):
        versions = client.search_model_versions(f"name = '{name}'")
        assert sorted(tables.versions(name)) == sorted(
            (int(version.version), version.tags["model_digest"]) for version in versions if version.tags
        )
        assert all(tables.source(name, int(version.version)) == version.source for version in versions)
    assert tables.source("small", 1) is None
    monkeypatch.setattr(empty_store, "version", lambda package: "0.0.1")
    assert not tables.has_known_schema()
