"""URIs of PostgreSQL databases: the driver that Dagster needs, and MLflow's own schema next to Dagster's tables."""

import re
from importlib.util import find_spec
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from ml_assets.core.extras import needs_extra
from ml_assets.resources.databases.uri_secrets import without_credentials

POSTGRESQL = re.compile(r"postgres(ql)?(\+psycopg2)?://")
MLFLOW_SCHEMA = "mlflow"
# Parameters of libpq, in seconds, and the last in milliseconds: https://www.postgresql.org/docs/current/libpq-
# connect.html
TIMEOUTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def is_postgresql(uri: str) -> bool:
    """Return whether a URI names a PostgreSQL database."""
    return POSTGRESQL.match(uri) is not None


def with_driver(uri: str) -> str:
    """Return the URI with the driver psycopg2, and with timeouts for a server that does not respond unless it has them.
    A URI of any other database is returned unchanged.

    Without timeouts libpq waits two minutes for a connection, and two hours for the response of a server that is gone.
    SQLAlchemy uses psycopg 3 for `postgresql://` since its version 2.1, where Dagster's statements are not valid
    (NOTIFY with a parameter).
    """
    if not is_postgresql(uri):
        return uri
    with needs_extra("postgres", "a PostgreSQL database"):
        if find_spec("psycopg2") is None:
            raise ModuleNotFoundError(name="psycopg2")
    parts = urlsplit(POSTGRESQL.sub("postgresql+psycopg2://", uri, count=1))
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    missing = urlencode({name: value for name, value in TIMEOUTS.items() if name not in given})
    return parts._replace(query="&".join(part for part in (parts.query, missing) if part)).geturl()


def store_beside_dagster(database: str) -> str:
    """Return the URI of MLflow's store in the database that Dagster uses.

    Dagster and MLflow both have tables named `runs` and `alembic_version`, so they cannot share a schema: Dagster has
    `public`, MLflow `mlflow`.

    Args:
        database: URI of the database.

    Raises:
        ValueError: when the URI does not name a PostgreSQL database, or already has `options`.
    """
    if not is_postgresql(database):
        raise ValueError(
            f"{without_credentials(database)!r} is not the URI of a PostgreSQL database "
            "(postgresql://user@host:5432/database)"
        )
    parts = urlsplit(database)
    given = dict(parse_qsl(parts.query))
    if "options" in given:
        raise ValueError(
            f"the URI of {without_credentials(database)} has options, so the schema of MLflow cannot be added: set "
            "MLFLOW_TRACKING_URI as well"
        )
    # A space must become %20, because libpq does not decode +.
    query = urlencode({**given, "options": f"-csearch_path={MLFLOW_SCHEMA}"}, quote_via=quote)
    return parts._replace(query=query).geturl()
