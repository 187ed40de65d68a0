"""MLflow's store in a PostgreSQL database: in a schema of its own beside Dagster's tables, made by one process at a
time.
"""

from ml_assets.resources.databases.postgresql_uri import MLFLOW_SCHEMA
from ml_assets.resources.databases.uri_secrets import shown
from ml_assets.resources.mlflow.errors import MlflowUnavailable

# Any number that nothing else in the database locks.
LOCK = 7_236_159_438
SECONDS_TO_CONNECT = 10


def make_postgresql_store(uri: str) -> None:
    """Make the schema and the tables of a store where there are none yet (5 to 10 s); else a look that takes
    milliseconds.

    MLflow makes its tables over seconds and without a lock that other machines see; so one process makes them while the
    others wait for a lock of the database.

    Raises:
        MlflowUnavailable: when the database cannot be reached, or this user may not make the tables.
    """
    from sqlalchemy import NullPool, create_engine, text
    from sqlalchemy.exc import DBAPIError

    engine = create_engine(
        uri, poolclass=NullPool, connect_args={"connect_timeout": SECONDS_TO_CONNECT}, isolation_level="AUTOCOMMIT"
    )
    try:
        with engine.connect() as connection:
            if connection.scalar(text("SELECT to_regclass('model_versions')")) is not None:
                return
            # It is freed with the connection, however this process ends.
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": LOCK})
            if connection.scalar(text("SHOW search_path")) == MLFLOW_SCHEMA:
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {MLFLOW_SCHEMA}"))
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
