"""Who can read a path follows from its modes and those of every folder above it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_assets.resources.probes.permission_probe import find_readers


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield an open folder; pytest's own folders are private."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize(
    ("above", "mode", "readers"),
    [
        (0o755, 0o700, None),
        (0o755, 0o755, "group and others"),
        (0o755, 0o750, "group"),
        (0o755, 0o711, "group and others"),
        (0o755, 0o705, "others"),
        (0o700, 0o777, None),
        (0o750, 0o777, "group"),
        (0o701, 0o777, "group and others"),
    ],
)
def test_a_folder_is_read_by_those_who_can_enter_it_and_all_folders_above(folder, above, mode, readers):
    lake = folder / "above" / "lake"
    lake.mkdir(parents=True)
    lake.chmod(mode)
    lake.parent.chmod(above)
    assert find_readers([lake]) == ({str(lake): readers} if readers else {})
    lake.parent.chmod(0o700)


@pytest.mark.parametrize(("mode", "readers"), [(0o600, None), (0o644, "group and others"), (0o611, None)])
def test_a_file_is_read_by_those_with_the_right_to_read(folder, mode, readers):
    store = folder / "mlflow.db"
    store.touch()
    store.chmod(mode)
    link = folder / "link"
    link.symlink_to(store)
    assert find_readers([link]) == ({str(link): readers} if readers else {})


def test_paths_that_do_not_exist_and_volumes_of_other_users_are_left_out(folder, monkeypatch):
    assert find_readers([folder / "none"]) == {}
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert find_readers([folder]) == {}
