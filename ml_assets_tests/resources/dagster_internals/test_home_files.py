"""A home whose first process died while it created the files is completed by the next one."""

from pathlib import Path

import pytest
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

from ml_assets.definitions import DEFS
from ml_assets.resources.dagster_instance.home import open_instance
from ml_assets.resources.dagster_internals.home_files import damaged_files, tables_by_file
from ml_assets.resources.databases.sqlite_file import is_unfinished


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text((DEFS.parent / "resources/dagster_instance/dagster.yaml").read_text())
    return tmp_path


@pytest.mark.parametrize("module", [sqlite_run_storage, sqlite_event_log, sqlite_schedule_storage])
def test_a_file_whose_process_died_before_the_revision_is_created_again(home, monkeypatch, module):
    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "stamp_alembic_rev", die)
        with pytest.raises(KeyboardInterrupt), open_instance(str(home)):
            pass
    assert any(is_unfinished(home / file) for file in tables_by_file() if (home / file).exists())
    with open_instance(str(home)) as instance:
        assert instance.get_runs_count() == 0
    assert damaged_files(home) == []


def test_files_that_are_complete_stay(home):
    with open_instance(str(home)):
        pass
    before = {file: (home / file).stat().st_ino for file in tables_by_file()}
    with open_instance(str(home)):
        pass
    assert {file: (home / file).stat().st_ino for file in tables_by_file()} == before
