"""The database schema that the installed MLflow needs.

Reason: the doctor compares it with the schema of a store, and reports a store that needs `mlflow db upgrade`.
Public API that would replace it: a command or function of MLflow that prints the revision without a database.
"""


def latest_schema_revision() -> str:
    """Return the Alembic revision that the installed MLflow needs."""
    from mlflow.store.db.utils import _get_latest_schema_revision

    return _get_latest_schema_revision()
