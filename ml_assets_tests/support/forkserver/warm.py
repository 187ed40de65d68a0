"""Preparation of the process that runs are forked from; no other process imports it."""

from alembic.script import ScriptDirectory
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.sql import get_alembic_config

from ml_assets_tests.support.library_caches import read_migrations_once

read_migrations_once()
ScriptDirectory.from_config(get_alembic_config(sqlite_run_storage.__file__)).as_revision_number("head")
