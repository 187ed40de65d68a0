import base64
import logging
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ml_assets.core.operations.failures.classification import Failure, classify
from ml_assets.resources.mlflow import connection
from ml_assets.resources.mlflow.connection import MlflowUnavailable, connect, quiet_mlflow, sqlite_path
from ml_assets.resources.probes.mlflow_probe import MlflowStore, probe_mlflow
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store
from ml_assets_tests.support.http_server import QuietHandler, free_port, http_server

# A revision of MLflow's tables from 2019.
SECOND_REVISION = "90e64c465722"


@pytest.mark.parametrize("uri", ["", "./mlruns", "/data/mlruns", "file:///data/mlruns"])
def test_a_plain_folder_is_refused_with_an_alternative(uri):
    with pytest.raises(ValueError, match=r"tracking_uri .* neither a server \(http://mlflow:5000\) nor a database"):
        connect(uri)


def test_a_server_that_does_not_answer_is_named_without_its_password():
    port = free_port()
    with pytest.raises(
        MlflowUnavailable, match=f"does not answer at http://127.0.0.1:{port}.*Check that the server runs"
    ) as caught:
        connect(f"http://user:secret@127.0.0.1:{port}")
    assert "secret" not in str(caught.value)


def test_a_server_that_refuses_the_health_check_is_available():
    class Refusing(QuietHandler):
        def do_GET(self):
            self.send_error(403)

    with http_server(Refusing) as address:
        assert connect(address).tracking_uri == address


@pytest.fixture
def guarded() -> Iterator[str]:
    """Return the address of a server that answers only to the user ann with the password `p@ss`."""
    header = f"Basic {base64.b64encode(b'ann:p@ss').decode()}"

    class Guarded(QuietHandler):
        def do_GET(self):
            is_known = self.headers.get("Authorization") == header
            self.send_response(200 if is_known else 401)
            self.end_headers()
            self.wfile.write(b"3.1.4" if is_known and self.path == "/version" else b"{}")

        do_POST = do_GET

    with http_server(Guarded) as address:
        yield address.removeprefix("http://")


def test_user_and_password_of_the_uri_or_of_mlflow_are_sent(guarded, monkeypatch):
    uri = f"http://ann:p%40ss@{guarded}"
    assert connect(uri).search_experiments() == []
    assert probe_mlflow(uri) == MlflowStore("server", server="3.1.4")
    assert probe_mlflow(f"http://{guarded}") == MlflowStore("server", "it refuses to answer (HTTP 401)")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "p@ss")
    assert probe_mlflow(f"http://{guarded}") == MlflowStore("server", server="3.1.4")


def test_the_error_of_a_store_that_cannot_be_created_names_it(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MlflowUnavailable, match=r"store sqlite:///.*mlflow\.db cannot be created.*Check the path"):
        connect(f"sqlite:///{tmp_path}/file/mlflow.db")


def test_a_store_that_this_user_may_not_read_is_named_at_once(tmp_path, monkeypatch):
    uri = new_store(tmp_path)

    def refuse(_: Path) -> bool:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(connection, "is_empty", refuse)
    monkeypatch.setattr("ml_assets.resources.databases.sqlite_file.os.access", lambda *_: False)
    with pytest.raises(MlflowUnavailable, match=r"mlflow\.db belongs to .* may not read it: run this as") as caught:
        connect(uri)
    assert classify(caught.value) is Failure.REFUSED


def test_an_existing_store_is_left_unchanged(tmp_path):
    uri = new_store(tmp_path)
    connect(uri).create_experiment("kept")
    assert connect(uri).get_experiment_by_name("kept") is not None
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


@pytest.mark.parametrize(
    ("revision", "remedy"),
    [
        (SECOND_REVISION, "run `mlflow db upgrade {uri}` "),
        ("bbbbbbbbbbbb", "install the version that created"),
    ],
)
def test_the_tables_of_another_version_are_named_with_the_remedy_and_not_retried(tmp_path, revision, remedy):
    uri = new_store(tmp_path)
    with closing(sqlite3.connect(sqlite_path(uri) or "")) as store:
        store.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        store.commit()
    with pytest.raises(MlflowUnavailable, match=f"have revision {revision}, the installed version needs") as caught:
        connect(uri)
    assert remedy.format(uri=uri) in str(caught.value)
    assert classify(caught.value) is Failure.STATED


def test_only_a_sqlite_file_has_a_path(tmp_path):
    assert sqlite_path(f"sqlite:///{tmp_path}/a.db?timeout=5") == tmp_path / "a.db"
    assert sqlite_path("postgresql://user:secret@host/db") is None


def test_quiet_mlflow_hides_hints_but_not_warnings_and_restores_the_logger():
    with quiet_mlflow():
        logger, messages = logging.getLogger("mlflow"), []
    level, handler = logger.level, logging.Handler()
    handler.addFilter(lambda entry: messages.append(entry.getMessage()))
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as warned, quiet_mlflow():
            logging.getLogger("mlflow.pyfunc").info("a hint")
            logging.getLogger("mlflow.pyfunc").warning("a fault")
            warnings.warn_explicit("a hint", UserWarning, "utils.py", 1, module="mlflow.types.utils")
    finally:
        logger.removeHandler(handler)
    assert (messages, warned, logger.level) == (["a fault"], [], level)
