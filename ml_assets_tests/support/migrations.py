"""A cache of database migrations: Dagster reads its own again for each database that it creates, one for each run."""

from alembic.script import ScriptDirectory

_read_scripts, _scripts_by_location = ScriptDirectory.from_config, {}


def _scripts(config) -> ScriptDirectory:
    location = config.get_alembic_option("script_location")
    if location not in _scripts_by_location:
        _scripts_by_location[location] = _read_scripts(config)
    return _scripts_by_location[location]


def read_migrations_once() -> None:
    """Read the migrations of each database only once in this process from now on."""
    ScriptDirectory.from_config = staticmethod(_scripts)
