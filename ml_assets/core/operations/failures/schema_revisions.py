"""Tables of Dagster or MLflow with another revision than the installed version needs: the message and the remedy."""

from shlex import quote


def describe_revision(revision: str, head: str) -> str:
    """Describe tables with another revision than the installed version needs.

    Args:
        revision: Alembic's revision of the tables.
        head: the revision that the installed version needs.
    """
    return f"the tables have revision {revision}, the installed version needs {head}"


def upgrade_dagster() -> str:
    """Write the remedy for tables of Dagster's storage."""
    return _migrate("`dagster instance migrate`")


def upgrade_mlflow(store: str, is_known: bool) -> str:
    """Write the remedy for tables of MLflow's store.

    Args:
        store: URI of the store, without password.
        is_known: whether the installed version knows the revision of the tables, so that it can migrate them.
    """
    if not is_known:
        return "a newer version created the tables: install that version of mlflow"
    password = ", with the password in PGPASSWORD" if store.startswith("postgres") else ""
    return _migrate(f"`mlflow db upgrade {quote(store)}`{password}")


def _migrate(command: str) -> str:
    return (
        f"stop webserver, daemon and runs, take a backup, then run {command} "
        "(or install the version that created the tables)"
    )
