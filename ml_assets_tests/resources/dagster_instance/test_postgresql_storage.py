"""Dagster's storage in PostgreSQL opens by any URI, and outlives a restart of the database."""

from collections.abc import Iterator

import dagster as dg
import pytest

from ml_assets_tests.support.postgresql import PostgresqlServer

INSTANCE = """
storage:
  custom:
    module: ml_assets.resources.dagster_instance.postgresql_storage
    class: PostgresqlStorage
    config: {{postgres_url: "{uri}"}}
telemetry: {{enabled: false}}
"""


@pytest.fixture
def database(postgresql: PostgresqlServer) -> str:
    return postgresql.new_database()


@pytest.fixture
def instance(tmp_path, database: str) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text(INSTANCE.format(uri=database))
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


def test_the_webserver_replaces_connections_that_the_database_closed(instance, database, postgresql: PostgresqlServer):
    instance.optimize_for_webserver(statement_timeout=5_000, pool_recycle=3_600, max_overflow=2)
    for _ in range(2):
        assert instance.get_runs() == []
        assert instance.all_instigator_state() == []
        assert instance.event_log_storage.get_maximum_record_id() is None
        postgresql.execute(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()",
        )
