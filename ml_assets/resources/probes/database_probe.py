"""Facts about the stores of state: revisions of tables, MLflow's version, and how far this machine's clock is from
theirs. Nothing is changed.
"""

import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from ml_assets.resources.databases.postgresql_uri import is_postgresql
from ml_assets.resources.mlflow.connection import HTTP, sqlite_path
from ml_assets.resources.storage.bucket import Bucket

SECONDS_TO_ANSWER = 10


@dataclass(frozen=True)
class MlflowFacts:
    """An MLflow store: what kind it is, why it cannot be used, and the versions of server and tables where it has
    them.
    """

    kind: str
    problem: str | None = None
    server: str | None = None
    revision: str | None = None
    head: str | None = None


def mlflow_facts(uri: str) -> MlflowFacts:
    """What can be found out about the store at `uri` (with credentials) without making one."""
    if HTTP.match(uri):
        return _facts_of_server(uri)
    path = sqlite_path(uri)
    if path is None and not is_postgresql(uri):
        return MlflowFacts("unknown", "it is neither a server nor a database")
    kind = "sqlite" if path else "postgresql"
    if path is not None and not path.exists():
        return MlflowFacts(kind, head=mlflow_head())
    try:
        return MlflowFacts(kind, revision=revision_of_tables(uri), head=mlflow_head())
    except ConnectionError as error:
        return MlflowFacts(kind, str(error))


def mlflow_head() -> str:
    """The revision that the installed MLflow needs."""
    from mlflow.store.db.utils import _get_latest_schema_revision

    return _get_latest_schema_revision()


def revision_of_tables(uri: str) -> str | None:
    """Alembic's revision of the tables in a database; None when there are none.

    Raises:
        ConnectionError: with what the database said, when it cannot be asked.
    """
    from sqlalchemy import inspect, text

    def ask(connection) -> str | None:
        if "alembic_version" not in inspect(connection).get_table_names():
            return None
        return connection.scalar(text("SELECT version_num FROM alembic_version"))

    return _asked(uri, ask)


def seconds_ahead_of_database(uri: str, now: Callable[[], float] = time) -> float:
    """Seconds by which this machine's clock is ahead of that of a PostgreSQL server.

    Raises:
        ConnectionError: with what the database said, when it cannot be asked.
    """
    from sqlalchemy import text

    def ask(connection) -> float:
        before = now()
        server = float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")))
        return (before + now()) / 2 - server

    return _asked(uri, ask)


def seconds_ahead_of_bucket(bucket: Bucket, now: Callable[[], float] = time) -> float | None:
    """Seconds by which this machine's clock is ahead of that of an S3 store, to about a second; None when it does not
    tell.
    """
    before = now()
    told = bucket.date()
    # The header has whole seconds, cut off.
    return None if told is None else (before + now()) / 2 - parsedate_to_datetime(told).timestamp() - 0.5


def _facts_of_server(uri: str) -> MlflowFacts:
    base = uri.rstrip("/")
    try:
        urllib.request.urlopen(f"{base}/health", timeout=SECONDS_TO_ANSWER).close()
        with urllib.request.urlopen(f"{base}/version", timeout=SECONDS_TO_ANSWER) as answer:
            return MlflowFacts("server", server=answer.read().decode().strip())
    except urllib.error.HTTPError as error:
        problem = (
            f"it refuses to answer (HTTP {error.code})"
            if error.code in (401, 403)
            else f"this is no MLflow server (HTTP {error.code})"
        )
        return MlflowFacts("server", problem)
    except OSError as error:
        return MlflowFacts("server", f"it does not answer ({getattr(error, 'reason', error)})")


def _asked(uri: str, ask: Callable[..., Any]) -> Any:
    from sqlalchemy import NullPool, create_engine
    from sqlalchemy.exc import DBAPIError

    arguments = {"connect_timeout": SECONDS_TO_ANSWER} if is_postgresql(uri) else {}
    try:
        with create_engine(uri, poolclass=NullPool, connect_args=arguments).connect() as connection:
            return ask(connection)
    except DBAPIError as error:
        raise ConnectionError(str(error.orig).strip().partition("\n")[0]) from error
