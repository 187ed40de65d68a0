"""Dagster's storage in PostgreSQL, configured by a URI of any common form."""

from collections.abc import Mapping
from typing import Any

# Only an instance file that names this storage loads this module.
from dagster_postgres import DagsterPostgresStorage  # noqa: TID253

from ml_assets.resources.dagster_internals.configurable_class import ConfigurableClassData
from ml_assets.resources.databases.postgresql_uri import with_driver


class PostgresqlStorage(DagsterPostgresStorage):
    """Runs, events, schedules and pools in one database, named by `postgres_url`."""

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
