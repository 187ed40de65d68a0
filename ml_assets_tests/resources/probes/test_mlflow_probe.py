"""The state of MLflow stores: real databases, and HTTP servers that respond as MLflow's do or do not."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest

from ml_assets.resources.databases.postgresql_uri import with_driver
from ml_assets.resources.probes.mlflow_probe import MlflowStore, mlflow_head, probe_mlflow
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store
from ml_assets_tests.support.http_server import QuietHandler, free_port, http_server
from ml_assets_tests.support.postgresql import PASSWORD, PostgresqlServer


@contextmanager
def answering(pages: Mapping[str, tuple[int, bytes]]) -> Iterator[str]:
    """The address of an HTTP server with these pages, and 404 for all others."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            status, content = pages.get(self.path, (404, b""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

    with http_server(Handler) as address:
        yield address


SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"


@pytest.mark.parametrize(
    ("pages", "store"),
    [
        ({"/health": (200, b"OK"), "/version": (200, b"2.22.0")}, MlflowStore("server", server="2.22.0")),
        ({}, MlflowStore("server", "this is not an MLflow server (HTTP 404)")),
        ({"/health": (401, b"")}, MlflowStore("server", "it refuses to answer (HTTP 401)")),
        ({SEARCH: (429, b"")}, MlflowStore("server", "it cannot answer now (HTTP 429); its database may be away")),
        (
            {"/version": (200, b"3.1.4"), SEARCH: (500, b"")},
            MlflowStore("server", "it cannot answer now (HTTP 500); its database may be away"),
        ),
    ],
)
def test_a_server_tells_its_version_or_why_not(pages, store):
    with answering(pages) as address:
        assert probe_mlflow(address) == store


def test_a_server_that_is_not_there_is_a_problem():
    port = free_port()
    assert "it does not answer" in (probe_mlflow(f"http://127.0.0.1:{port}").problem or "")


@pytest.mark.slow
def test_a_real_mlflow_server_tells_the_version_of_the_package(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        new_store(tmp_path),
        "--host",
        "127.0.0.1",
        "--workers",
        "1",
    ]
    process = subprocess.Popen(
        [*command, "--port", address.rpartition(":")[2]],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: urllib.request.urlopen(f"{address}/health", timeout=1).close())
        assert probe_mlflow(address) == MlflowStore("server", server=version("mlflow"))
    finally:
        process.terminate()
        process.wait(120)


def wait_for(attempt: Callable[[], None]) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            return attempt()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def test_a_sqlite_store_tells_the_revision_of_its_tables_and_a_missing_one_is_not_made(tmp_path: Path):
    assert probe_mlflow(new_store(tmp_path)) == MlflowStore("sqlite", revision=mlflow_head(), head=mlflow_head())
    assert probe_mlflow(f"sqlite:///{tmp_path}/none.db") == MlflowStore("sqlite", head=mlflow_head())
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_a_store_that_mlflow_takes_is_not_refused_by_the_probe():
    assert probe_mlflow("some/folder") == MlflowStore("unknown", "it is neither a server nor a database")
    assert probe_mlflow("databricks://profile") == MlflowStore("databricks")
    assert probe_mlflow("mysql://user:word@host/db") == MlflowStore("mysql", "No module named 'MySQLdb'")


def test_a_store_on_postgresql_has_the_revision_of_its_tables(postgresql: PostgresqlServer):
    uri = postgresql.new_database()
    postgresql.execute(uri, "CREATE TABLE alembic_version AS SELECT 'a1'::text AS version_num")
    assert probe_mlflow(with_driver(uri)) == MlflowStore("postgresql", revision="a1", head=mlflow_head())


def test_a_database_that_does_not_answer_is_a_problem_without_password(postgresql: PostgresqlServer):
    uri = with_driver(postgresql.uri("postgres"))
    store = probe_mlflow(uri.replace(PASSWORD, "of-somebody-else"))
    assert "password authentication failed" in (store.problem or "")
    assert "of-somebody-else" not in (store.problem or "")
