"""The remedy for tables of another version can be followed as it is written."""

from ml_assets.core.operations.failures.schema_revisions import describe_revision, upgrade_dagster, upgrade_mlflow


def test_older_tables_are_migrated_by_a_command_that_names_the_store():
    assert "run `mlflow db upgrade sqlite:////data/mlflow.db` (or" in upgrade_mlflow("sqlite:////data/mlflow.db", True)
    store = "postgresql+psycopg2://me@host/db?options=-csearch_path%3Dmlflow"
    assert f"`mlflow db upgrade '{store}'`, with the password in PGPASSWORD" in upgrade_mlflow(store, True)
    assert "run `dagster instance migrate`" in upgrade_dagster()


def test_newer_tables_need_the_version_that_created_them():
    remedy = upgrade_mlflow("sqlite:////data/mlflow.db", False)
    assert "install that version of mlflow" in remedy
    assert "mlflow db upgrade" not in remedy


def test_both_revisions_are_named():
    assert describe_revision("a1", "b2") == "the tables have revision a1, the installed version needs b2"
