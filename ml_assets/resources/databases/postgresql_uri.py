"""URIs of PostgreSQL databases: the driver that Dagster needs, and MLflow's schema beside Dagster's tables."""

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from ml_assets.resources.databases.uri_secrets import shown

POSTGRESQL = re.compile(r"postgres(ql)?(\+psycopg2)?://")
MLFLOW_SCHEMA = "mlflow"
# libpq's, in seconds and one in milliseconds: https://www.postgresql.org/docs/current/libpq-connect.html
LIMITS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def is_postgresql(uri: str) -> bool:
    """Whether a URI names a PostgreSQL database."""
    return POSTGRESQL.match(uri) is not None


def with_driver(uri: str) -> str:
    """The URI as SQLAlchemy has to get it, with limits for a server that does not answer where it has none. Any other
    URI stays as it is.

    Without limits libpq waits two minutes for a connection, and two hours for the answer of a server that is gone.
    SQLAlchemy takes `postgresql://` for psycopg 3 since its version 2.1, and Dagster's statements are not valid there
    (NOTIFY with a parameter).
    """
    if not is_postgresql(uri):
        return uri
    parts = urlsplit(POSTGRESQL.sub("postgresql+psycopg2://", uri, count=1))
    stated = dict(parse_qsl(parts.query, keep_blank_values=True))
    lacking = urlencode({name: value for name, value in LIMITS.items() if name not in stated})
    return parts._replace(query="&".join(part for part in (parts.query, lacking) if part)).geturl()


def store_beside_dagster(database: str) -> str:
    """The URI of MLflow's store in the database that Dagster uses.

    Dagster and MLflow both have tables named `runs` and `alembic_version`, so they cannot share a schema: Dagster has
    `public`, MLflow `mlflow`.

    Args:
        database: URI of the database.

    Raises:
        ValueError: when the URI is not one of PostgreSQL, or has `options` of its own.
    """
    if not is_postgresql(database):
        raise ValueError(
            f"{shown(database)!r} is not the URI of a PostgreSQL database (postgresql://user@host:5432/database)"
        )
    parts = urlsplit(database)
    given = dict(parse_qsl(parts.query))
    if "options" in given:
        raise ValueError(
            f"the URI of {shown(database)} has options, so the schema of MLflow cannot be added: set MLFLOW_TRACKING_URI as well"
        )
    # A space as %20, because libpq takes + as it is.
    query = urlencode({**given, "options": f"-csearch_path={MLFLOW_SCHEMA}"}, quote_via=quote)
    return parts._replace(query=query).geturl()
