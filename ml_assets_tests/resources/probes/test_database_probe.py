"""Revision and time of real databases."""

import time

import pytest
from sqlalchemy import NullPool, create_engine, text

from ml_assets.resources.databases.postgresql_uri import with_driver
from ml_assets.resources.probes.database_probe import measure_database_skew, read_schema_revision
from ml_assets_tests.support.postgresql import PostgresqlServer
from ml_assets_tests.support.tolerance import assert_close_to

pytestmark = pytest.mark.clock


def test_a_database_tells_the_revision_of_its_tables(postgresql: PostgresqlServer):
    uri = postgresql.new_database()
    assert read_schema_revision(with_driver(uri)) is None
    postgresql.execute(uri, "CREATE TABLE alembic_version AS SELECT 'a1'::text AS version_num")
    assert read_schema_revision(with_driver(uri)) == "a1"


def test_a_locked_table_is_reported_in_time(postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ml_assets.resources.probes.database_probe.TIMEOUT_SECONDS", 1)
    uri = with_driver(postgresql.new_database())
    with create_engine(uri).begin() as migration:
        migration.execute(text("CREATE TABLE alembic_version AS SELECT 'a1'::text AS version_num"))
    with create_engine(uri, poolclass=NullPool).begin() as migration:
        migration.execute(text("LOCK TABLE alembic_version"))
        with pytest.raises(ConnectionError, match="canceling statement due to statement timeout"):
            read_schema_revision(uri)


def test_the_clock_of_a_database_is_compared_with_this_one(postgresql: PostgresqlServer):
    uri = with_driver(postgresql.uri("postgres"))
    assert_close_to(0, lambda: measure_database_skew(uri), tolerance=1)
    assert_close_to(100, lambda: measure_database_skew(uri, now=lambda: time.time() + 100), tolerance=1)
