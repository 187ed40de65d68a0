"""Migrations of a database are read once a process: Dagster reads its own for each database that it makes, of which a
run has one.
"""

from alembic.script import ScriptDirectory

_read, _found = ScriptDirectory.from_config, {}


def _scripts(config) -> ScriptDirectory:
    location = config.get_alembic_option("script_location")
    if location not in _found:
        _found[location] = _read(config)
    return _found[location]


def read_migrations_once() -> None:
    """From now on, in this process."""
    ScriptDirectory.from_config = staticmethod(_scripts)  # type: ignore[method-assign]
