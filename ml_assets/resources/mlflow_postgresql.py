"""MLflow's store in a PostgreSQL database: in a schema of its own beside Dagster's tables, made by one process at a time."""

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from ml_assets.resources.mlflow_unavailable import MlflowUnavailable
from ml_assets.resources.secrets import shown

POSTGRESQL = re.compile(r"postgresql(\+\w+)?://")
SCHEMA = "mlflow"
# Any number that nothing else in the database locks.
LOCK = 7_236_159_438
SECONDS_TO_CONNECT = 10


def is_postgresql(uri: str) -> bool:
    """Whether a URI names a PostgreSQL database."""
    return POSTGRESQL.match(uri) is not None


def store_beside_dagster(database: str) -> str:
    """The URI of MLflow's store in the database that Dagster uses.

    Dagster and MLflow both have tables named `runs` and `alembic_version`, so they cannot share a schema: Dagster has `public`, MLflow `mlflow`.

    Args:
        database: URI of the database.

    Raises:
        ValueError: when the URI is not one of PostgreSQL, or has `options` of its own.
    """
    if not is_postgresql(database):
        raise ValueError(f"{shown(database)!r} is not the URI of a PostgreSQL database (postgresql://user@host:5432/database)")
    parts = urlsplit(database)
    given = dict(parse_qsl(parts.query))
    if "options" in given:
        raise ValueError(f"the URI of {shown(database)} has options, so the schema of MLflow cannot be added: set MLFLOW_TRACKING_URI as well")
    # As bytes of %20, not +, which libpq would take as it is.
    query = urlencode({**given, "options": f"-csearch_path={SCHEMA}"}, quote_via=quote)
    return parts._replace(query=query).geturl()


def make_postgresql_store(uri: str) -> None:
    """Make the schema and the tables of a store where there are none yet (5 to 10 s); else a look that takes milliseconds.

    MLflow makes its tables over seconds and without a lock that other machines see; so one process makes them while the others wait for a lock of the
    database.

    Raises:
        MlflowUnavailable: when the database cannot be reached, or this user may not make the tables.
    """
    from sqlalchemy import NullPool, create_engine, text
    from sqlalchemy.exc import DBAPIError

    engine = create_engine(uri, poolclass=NullPool, connect_args={"connect_timeout": SECONDS_TO_CONNECT}, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            if connection.scalar(text("SELECT to_regclass('model_versions')")) is not None:
                return
            # It is freed with the connection, however this process ends.
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": LOCK})
            if connection.scalar(text("SHOW search_path")) == SCHEMA:
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            _make_tables(uri)
    except DBAPIError as error:
        raise MlflowUnavailable(
            f"the MLflow store {shown(uri)} cannot be opened ({_first_line(error)}). Check that the server runs, host, port, name of the database, "
            "user and password, and that the user may create in the database."
        ) from error


def _make_tables(uri: str) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_experiments(max_results=1)
    client.search_registered_models(max_results=1)


def _first_line(error: Exception) -> str:
    """What the database said, without the statement and its parameters."""
    return str(getattr(error, "orig", error)).strip().partition("\n")[0]
