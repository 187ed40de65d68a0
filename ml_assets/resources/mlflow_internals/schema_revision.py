"""The database schema that the installed MLflow needs.

Reason: the doctor compares it with the schema of a store, and reports a store that needs `mlflow db upgrade`.
Public API that would replace it: a command or function of MLflow that prints the revision without a database.
"""


def latest_schema_revision() -> str:
    """Return the Alembic revision that the installed MLflow needs."""
    from mlflow.store.db.utils import _get_latest_schema_revision

    return _get_latest_schema_revision()


def knows_revision(revision: str) -> bool:
    """Return whether the installed MLflow has the Alembic revision, so that it can upgrade tables from there."""
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError
    from mlflow.store.db.utils import _get_alembic_config

    try:
        return ScriptDirectory.from_config(_get_alembic_config(db_url="")).get_revision(revision) is not None
    except CommandError:
        return False
