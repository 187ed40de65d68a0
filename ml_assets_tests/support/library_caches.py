"""Caches of what libraries read from their own files again and again: migrations of Dagster, services of botocore."""

from functools import cache

from alembic.script import ScriptDirectory
from botocore import session
from botocore.loaders import create_loader

_read_scripts, _scripts_by_location = ScriptDirectory.from_config, {}


def read_migrations_once() -> None:
    """Read the migrations of each database only once in this process from now on, not again for each run."""
    ScriptDirectory.from_config = staticmethod(_scripts)


def read_services_once() -> None:
    """Read the description of each AWS service, megabytes of JSON, only once in this process from now on."""
    session.create_loader = cache(create_loader)


def _scripts(config) -> ScriptDirectory:
    location = config.get_alembic_option("script_location")
    if location not in _scripts_by_location:
        _scripts_by_location[location] = _read_scripts(config)
    return _scripts_by_location[location]
