"""MLflow's store in a real PostgreSQL server."""

from contextlib import ExitStack

import pytest

from ml_assets.resources.databases.postgresql_uri import store_beside_dagster, with_driver
from ml_assets.resources.mlflow.connection import MlflowUnavailable, connect
from ml_assets.resources.mlflow.postgresql_store import create_postgresql_store
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets_tests.resources.mlflow.mlflow_cases import context, record_with_many_metrics, register_at_once
from ml_assets_tests.support.forkserver import CONTEXT
from ml_assets_tests.support.postgresql import PASSWORD, PostgresqlServer


def test_a_database_that_cannot_be_used_is_named_without_the_password(postgresql: PostgresqlServer):
    uri = with_driver(postgresql.uri("postgres"))
    for wrong, reason in [
        (uri.replace(PASSWORD, "of-somebody-else"), "password authentication failed"),
        (with_driver(postgresql.uri("nowhere")), "does not exist"),
        (uri.replace(f":{postgresql.port}", ":1"), "Connection refused"),
    ]:
        with pytest.raises(
            MlflowUnavailable, match=f"cannot be opened .*{reason}.*Check that the server runs"
        ) as caught:
            create_postgresql_store(wrong)
        assert PASSWORD not in str(caught.value)
        assert "of-somebody-else" not in str(caught.value)


def test_the_error_of_a_user_without_permission_to_create_says_so(postgresql: PostgresqlServer):
    uri = postgresql.new_database()
    postgresql.execute(uri, "CREATE ROLE reader LOGIN PASSWORD 'reading'")
    reader = uri.replace(f"postgres:{PASSWORD}", "reader:reading")
    with pytest.raises(MlflowUnavailable, match="permission denied for database"):
        create_postgresql_store(with_driver(store_beside_dagster(reader)))


def test_an_existing_postgresql_store_is_left_unchanged(postgresql: PostgresqlServer):
    uri = postgresql.new_database()
    postgresql.execute(uri, "CREATE SCHEMA mlflow")
    postgresql.execute(uri, "CREATE TABLE mlflow.model_versions (name text)")
    create_postgresql_store(with_driver(store_beside_dagster(uri)))
    assert postgresql.query(uri, "SELECT count(*) FROM pg_tables WHERE schemaname = 'mlflow'") == [(1,)]


@pytest.mark.slow
def test_without_an_artifact_root_nothing_is_logged_to_the_current_directory(postgresql: PostgresqlServer):
    uri = with_driver(store_beside_dagster(postgresql.new_database()))
    with (
        pytest.raises(ValueError, match="does not define where artifacts go: set MLFLOW_DEFAULT_ARTIFACT_ROOT"),
        ExperimentTracking(tracking_uri=uri).run(context(), "fraud") as run,
    ):
        assert run.client


@pytest.mark.slow
def test_a_model_with_many_metrics_and_a_long_description_is_registered(postgresql: PostgresqlServer, tmp_path):
    uri = with_driver(store_beside_dagster(postgresql.new_database()))
    with ExperimentTracking(tracking_uri=uri, artifact_root=tmp_path.as_uri()).run(context(), "fraud") as run:
        assert ModelRegistry(tracking_uri=uri).register(run, record_with_many_metrics()).version == 1


@pytest.mark.slow
def test_processes_that_register_the_same_digests_concurrently_in_a_new_database_create_one_version_each(
    postgresql: PostgresqlServer, tmp_path
):
    processes, uri = 4, with_driver(store_beside_dagster(postgresql.new_database()))
    start, results = CONTEXT.Barrier(processes), CONTEXT.Queue()
    with ExitStack() as stack:
        for _ in range(processes):
            process = CONTEXT.Process(target=register_at_once, args=(uri, start, results, tmp_path.as_uri()))
            process.start()
            stack.callback(process.join)
        done = [results.get(timeout=200) for _ in range(processes)]
    assert not [result for result in done if isinstance(result, str)]
    versions = connect(uri).search_model_versions("name = 'fraud'")
    assert sorted(version.tags["model_digest"] for version in versions) == ["a1", "b2"]
    for position in range(2):
        answers = [result[position] for result in done]
        assert len({(version, run_id) for version, run_id, _ in answers}) == 1
        assert sum(created for *_, created in answers) == 1
    assert connect(uri).get_registered_model("fraud").aliases == {}
