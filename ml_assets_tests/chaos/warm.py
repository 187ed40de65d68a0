"""What the process that runs are forked from has done once and for all; imported by it alone."""

from alembic.script import ScriptDirectory
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.sql import get_alembic_config

_read_scripts, _SCRIPTS = ScriptDirectory.from_config, {}


def _scripts(config) -> ScriptDirectory:
    """The migrations of a database, read once: Dagster reads its own for each file that it opens, of which each run has one."""
    location = config.get_alembic_option("script_location")
    if location not in _SCRIPTS:
        _SCRIPTS[location] = _read_scripts(config)
    return _SCRIPTS[location]


ScriptDirectory.from_config = staticmethod(_scripts)  # type: ignore[method-assign]
_scripts(get_alembic_config(sqlite_run_storage.__file__)).as_revision_number("head")
