"""A temporary folder goes when it is done with, or with the next one after a kill; one that is in use stays."""

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


def test_a_folder_is_there_until_it_is_done_with(temporary):
    def fail():
        with temporary_directory("rows_") as folder:
            assert folder.parent == temporary
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_stays(temporary):
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


def test_a_folder_that_was_made_just_now_and_folders_of_others_stay(temporary):
    (temporary / "rows_new").mkdir()
    (temporary / "rows_new" / LOCK).touch()
    (temporary / "rows_of_others").mkdir()
    with temporary_directory("rows_") as mine:
        assert mine.parent == temporary
    assert sorted(path.name for path in temporary.iterdir()) == ["rows_new", "rows_of_others"]
