"""A temporary folder is removed at the end of its block, or by the next process after a kill."""

import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from ml_assets.core.training.engines.temporary_directory import LOCK, temporary_directory

pytestmark = pytest.mark.clock

UNTIL_KILLED = """
import sys, tempfile, time
from ml_assets.core.training.engines.temporary_directory import temporary_directory
tempfile.tempdir = sys.argv[1]
with temporary_directory("rows_") as folder:
    (folder / "page").write_text("rows")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_exists_until_the_end_of_its_block(temporary):
    def fail():
        with temporary_directory("rows_") as folder:
            assert folder.parent == temporary
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(temporary.iterdir()) == []


def test_folders_of_killed_processes_are_removed_and_those_in_use_are_kept(temporary):
    process = subprocess.Popen([sys.executable, "-c", UNTIL_KILLED, str(temporary)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    left = process.stdout.readline().strip()
    long_ago = time.time() - 3600
    os.utime(f"{left}/{LOCK}", (long_ago, long_ago))
    with temporary_directory("rows_"):
        assert os.path.exists(f"{left}/page")
    process.send_signal(signal.SIGKILL)
    process.wait()
    with temporary_directory("rows_"):
        assert not os.path.exists(left)


def test_new_folders_and_folders_with_other_prefixes_are_kept(temporary):
    (temporary / "rows_new").mkdir()
    (temporary / "rows_new" / LOCK).touch()
    os.utime(temporary / "rows_new" / LOCK, (time.time(), time.time()))
    (temporary / "rows_of_others").mkdir()
    with temporary_directory("rows_") as mine:
        assert mine.parent == temporary
    assert sorted(path.name for path in temporary.iterdir()) == ["rows_new", "rows_of_others"]
