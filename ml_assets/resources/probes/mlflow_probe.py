"""State of an MLflow store: its kind, versions, and the reason why it cannot be used."""

import urllib.error
import urllib.request
from dataclasses import dataclass

from ml_assets.resources.databases.postgresql_uri import is_postgresql
from ml_assets.resources.mlflow.connection import HTTP, sqlite_path
from ml_assets.resources.mlflow_internals.schema_revision import latest_schema_revision
from ml_assets.resources.probes.database_probe import read_schema_revision

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class MlflowStore:
    """An MLflow store: its kind, the problem when it cannot be used, and the versions of its server or tables."""

    kind: str
    problem: str | None = None
    server: str | None = None
    revision: str | None = None
    head: str | None = None


def probe_mlflow(uri: str) -> MlflowStore:
    """Read the state of the store at a URI (with credentials); a store that does not exist is not created."""
    if HTTP.match(uri):
        return _probe_server(uri)
    path = sqlite_path(uri)
    if path is None and not is_postgresql(uri):
        return MlflowStore("unknown", "it is neither a server nor a database")
    kind = "sqlite" if path else "postgresql"
    if path is not None and not path.exists():
        return MlflowStore(kind, head=mlflow_head())
    try:
        return MlflowStore(kind, revision=read_schema_revision(uri), head=mlflow_head())
    except ConnectionError as error:
        return MlflowStore(kind, str(error))


def mlflow_head() -> str:
    """Return the Alembic revision that the installed MLflow needs."""
    return latest_schema_revision()


def _probe_server(uri: str) -> MlflowStore:
    base = uri.rstrip("/")
    try:
        urllib.request.urlopen(f"{base}/health", timeout=TIMEOUT_SECONDS).close()
        with urllib.request.urlopen(f"{base}/version", timeout=TIMEOUT_SECONDS) as response:
            return MlflowStore("server", server=response.read().decode().strip())
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            return MlflowStore("server", f"it refuses to answer (HTTP {error.code})")
        return MlflowStore("server", f"this is no MLflow server (HTTP {error.code})")
    except OSError as error:
        return MlflowStore("server", f"it does not answer ({getattr(error, 'reason', error)})")
