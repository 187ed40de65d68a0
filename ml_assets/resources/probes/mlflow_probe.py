"""State of an MLflow store: its kind, versions, and the reason why it cannot be used."""

import re
from dataclasses import dataclass

from ml_assets.resources.databases.postgresql_uri import is_postgresql
from ml_assets.resources.mlflow.connection import HTTP, is_database, request, sqlite_path
from ml_assets.resources.mlflow.errors import NoResponse
from ml_assets.resources.mlflow_internals.schema_revision import knows_revision, latest_schema_revision
from ml_assets.resources.probes.database_probe import read_schema_revision

VERSION = re.compile(r"\d+\.\d+[\w.]*")


@dataclass(frozen=True)
class MlflowStore:
    """An MLflow store: its kind, the problem when it cannot be used, and the versions of its server or tables; whether
    the installed MLflow knows their revision.
    """

    kind: str
    problem: str | None = None
    server: str | None = None
    revision: str | None = None
    head: str | None = None
    is_known: bool = True


def probe_mlflow(uri: str) -> MlflowStore:
    """Read the state of the store at a URI (with credentials); a store that does not exist is not created."""
    if HTTP.match(uri):
        return _probe_server(uri)
    path = sqlite_path(uri)
    if "://" not in uri or uri.startswith("file:"):
        return MlflowStore("unknown", "it is neither a server nor a database")
    if not is_database(uri):
        # The store of a plugin that only MLflow knows.
        return MlflowStore(uri.partition(":")[0])
    kind = "sqlite" if path else "postgresql" if is_postgresql(uri) else uri.partition(":")[0].partition("+")[0]
    if path is not None and not path.exists():
        return MlflowStore(kind, head=mlflow_head())
    try:
        revision, head = read_schema_revision(uri), mlflow_head()
        is_known = revision in (None, head) or knows_revision(revision)
        return MlflowStore(kind, revision=revision, head=head, is_known=is_known)
    except (ConnectionError, ImportError) as error:
        return MlflowStore(kind, str(error))


def mlflow_head() -> str:
    """Return the Alembic revision that the installed MLflow needs."""
    return latest_schema_revision()


def _probe_server(uri: str) -> MlflowStore:
    try:
        health = request(uri, "/health").status_code
        if health in (401, 403):
            return MlflowStore("server", f"it refuses to answer (HTTP {health})")
        # A server whose database is away still tells its version, and a proxy may let only the API through.
        experiments = request(uri, "/api/2.0/mlflow/experiments/search?max_results=1").status_code
        if experiments in (401, 403):
            return MlflowStore("server", f"it refuses to answer (HTTP {experiments})")
        if experiments == 429 or experiments >= 500:
            return MlflowStore("server", f"it cannot answer now (HTTP {experiments}); its database may be away")
        version = request(uri, "/version")
        if version.status_code == 200 and VERSION.fullmatch(version.text.strip()):
            return MlflowStore("server", server=version.text.strip())
        problem = f"this is not an MLflow server (HTTP {experiments})" if experiments >= 400 else None
        return MlflowStore("server", problem)
    except NoResponse as error:
        return MlflowStore("server", f"it does not answer ({error.reason})")
