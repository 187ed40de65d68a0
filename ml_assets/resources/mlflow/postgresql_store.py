"""MLflow's store in a PostgreSQL database, in its own schema next to Dagster's tables. One process at a time creates
it.
"""

from ml_assets.core.operations.failures.error_message import first_line
from ml_assets.resources.databases.postgresql_uri import MLFLOW_SCHEMA
from ml_assets.resources.databases.uri_secrets import without_credentials
from ml_assets.resources.mlflow.errors import MlflowUnavailable

# The key of an advisory lock: any number that nothing else in the database locks.
LOCK = 7_236_159_438
SECONDS_TO_CONNECT = 10


def create_postgresql_store(uri: str) -> None:
    """Create the schema and the tables of a store unless they exist (5 to 10 s; otherwise milliseconds).

    MLflow takes seconds to create its tables, without a lock that other machines see. So one process creates them while
    the others wait for a database lock.

    Raises:
        MlflowUnavailable: when the database cannot be reached, or this user may not create the tables.
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
            # The lock is released with the connection, however this process ends.
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": LOCK})
            if connection.scalar(text("SHOW search_path")) == MLFLOW_SCHEMA:
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {MLFLOW_SCHEMA}"))
            _create_tables(uri)
    except DBAPIError as error:
        raise MlflowUnavailable(
            f"the MLflow store {without_credentials(uri)} cannot be opened ({first_line(error)}). Check that the "
            "server runs, that host, port, database, user and password are correct, and that the user may create "
            "tables in the database."
        ) from error


def _create_tables(uri: str) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_experiments(max_results=1)
    client.search_registered_models(max_results=1)
