"""A store that was moved with its artifacts finds them; an incomplete file is refused or replaced."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ml_assets.resources.mlflow.connection import MlflowUnavailable, connect
from ml_assets.resources.mlflow.experiments import ensure_experiment
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a store with a run that has an artifact, and a version of a model."""
    folder = tmp_path / "old place"
    folder.mkdir()
    uri = new_store(folder)
    client = connect(uri)
    experiment = ensure_experiment(client, "small", uri, None)
    run = client.create_run(experiment.experiment_id)
    client.log_text(run.info.run_id, "kept", "note.txt")
    client.create_registered_model("small")
    client.create_model_version("small", f"{run.info.artifact_uri}/note.txt", run.info.run_id, await_creation_for=0)
    return folder


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_moved_or_copied_store_reads_and_writes_artifacts_at_its_new_place(folder, is_moved, caplog):
    new = folder.with_name("new")
    shutil.move(folder, new) if is_moved else shutil.copytree(folder, new)
    client = connect(f"sqlite:///{new}/mlflow.db")
    assert "was moved with its artifacts" in caplog.text
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.artifact_uri or "").startswith((new / "mlartifacts").as_uri())
    assert Path(client.download_artifacts(run.info.run_id, "note.txt")).read_text() == "kept"
    client.log_text(client.create_run(experiment.experiment_id).info.run_id, "new", "note.txt")
    assert len(list(new.rglob("note.txt"))) == 2
    assert len(list(folder.rglob("note.txt"))) == (0 if is_moved else 1)
    assert str(new) in client.get_model_version_download_uri("small", "1")


def test_artifacts_that_the_configuration_put_elsewhere_keep_their_place(tmp_path):
    uri = new_store(tmp_path)
    client = connect(uri)
    elsewhere = (tmp_path / "elsewhere" / "mlartifacts").as_uri()
    ensure_experiment(client, "small", uri, elsewhere)
    assert ensure_experiment(connect(uri), "small", uri, None).artifact_location == f"{elsewhere}/small"


def test_an_empty_file_becomes_a_store(tmp_path):
    (tmp_path / "mlflow.db").touch()
    assert connect(f"sqlite:///{tmp_path}/mlflow.db").get_experiment_by_name("Default") is not None


@pytest.mark.parametrize("content", ["half made", "not a database"])
def test_a_file_that_is_not_a_complete_store_is_refused_with_a_remedy_that_helps(tmp_path, content):
    path = tmp_path / "mlflow.db"
    if content == "half made":
        with closing(sqlite3.connect(path)) as store:
            store.execute("CREATE TABLE experiments (name TEXT)")
    else:
        path.write_text("not a database" * 100)
    with pytest.raises(MlflowUnavailable, match=r"mlflow.db is damaged .*move it away \(`mv (.*) (.*)`\)"):
        connect(f"sqlite:///{path}")
    path.rename(f"{path}.broken")
    assert connect(f"sqlite:///{path}").search_registered_models() == []
