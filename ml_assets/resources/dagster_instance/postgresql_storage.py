"""Dagster's storage in PostgreSQL, configured by a URI of any common form."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

# Only an instance file that names this storage loads this module.
from dagster_postgres import (  # noqa: TID253
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)

from ml_assets.resources.dagster_internals.configurable_class import ConfigurableClassData
from ml_assets.resources.databases.postgresql_uri import with_driver

if TYPE_CHECKING:
    from sqlalchemy import Engine


class PostgresqlStorage(DagsterPostgresStorage):
    """Runs, events, schedules and pools in one database, named by `postgres_url`."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None):
        super().__init__(postgres_url, should_autocreate_tables=False, inst_data=inst_data)
        self.should_autocreate_tables = True
        self._run_storage = Runs(postgres_url)
        self._event_log_storage = Events(postgres_url)
        self._schedule_storage = Schedules(postgres_url)

    @classmethod
    def config_type(cls) -> Any:
        """Return the config schema: the URI as a StringSource, so that it can come from the environment."""
        from dagster import Field, StringSource

        return {"postgres_url": Field(StringSource)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PostgresqlStorage":
        """Return the storage that the instance file names, with the driver that Dagster needs."""
        return cls(with_driver(config_value["postgres_url"]), inst_data=inst_data)


class KeptConnections:
    """A storage whose kept connections are checked before they are used.

    Only the webserver keeps connections. After a restart of the database, its first request over each of them would
    fail, and a launch that fails halfway leaves a run that starts minutes later.
    """

    _engine: "Engine"

    def optimize_for_webserver(self, *args: Any, **kwargs: Any) -> None:
        """Keep connections open, as Dagster does, and replace those that were lost."""
        from sqlalchemy import event

        super().optimize_for_webserver(*args, **kwargs)  # type: ignore[misc]
        event.listen(self._engine, "checkout", self._check)

    def _check(self, connection: Any, *_: object) -> None:
        from sqlalchemy.exc import DisconnectionError

        try:
            self._engine.dialect.do_ping(connection)
        except self._engine.dialect.loaded_dbapi.Error as error:
            # The pool connects again, and drops its other connections of before.
            raise DisconnectionError(str(error)) from error


class Runs(KeptConnections, PostgresRunStorage):
    """Dagster's runs."""


class Events(KeptConnections, PostgresEventLogStorage):
    """Dagster's event log."""


class Schedules(KeptConnections, PostgresScheduleStorage):
    """The state of schedules and sensors."""
