"""The spool keeps what was written when its process is killed, and another process finds it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from ml_assets.service.capture.spool import SUFFIX, Spool, spool_folder

WRITE_AND_DIE = """
import os, signal, sys
from pathlib import Path
import pyarrow as pa
from ml_assets.service.capture.spool import Spool
spool = Spool(Path(sys.argv[1]))
for number in range(3):
    spool.append(pa.record_batch({"number": [number]}))
os.kill(os.getpid(), signal.SIGKILL)
"""


def numbers(spool: Spool) -> list[int]:
    return [number for _, rows in spool.closed() if rows is not None for number in rows["number"].to_pylist()]


def test_an_open_file_is_nobody_elses(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append(pa.record_batch({"number": [1, 2]}))
    assert spool.rows == 2
    assert spool.bytes() > 0
    assert numbers(Spool(tmp_path / "spool")) == []
    spool.close()
    ((name, _),) = spool.closed()
    assert numbers(Spool(tmp_path / "spool")) == [1, 2]
    spool.delete(name)
    assert numbers(spool) == []
    assert spool.rows == 0


def test_rows_of_a_killed_process_are_found_by_the_next(tmp_path):
    killed = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(tmp_path / "spool")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert numbers(Spool(tmp_path / "spool")) == [0, 1, 2]


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_file_that_was_cut_off_has_its_complete_batches(tmp_path, cut):
    spool = Spool(tmp_path / "spool")
    for number in range(3):
        spool.append(pa.record_batch({"number": [number]}))
    (path,) = (tmp_path / "spool").glob(f"*{SUFFIX}")
    os.truncate(path, path.stat().st_size - cut)
    spool.close()
    recovered = numbers(Spool(tmp_path / "spool"))
    assert recovered == list(range(len(recovered)))
    assert len(recovered) < 3 or cut < 40


def test_a_file_without_a_complete_batch_has_no_rows(tmp_path):
    (tmp_path / f"broken{SUFFIX}").write_bytes(b"no stream")
    assert list(Spool(tmp_path).closed()) == [("broken", None)]


def test_a_full_disk_is_an_error_and_the_next_rows_get_a_file_of_their_own(tmp_path, monkeypatch):
    spool = Spool(tmp_path / "spool")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pa, "OSFile", fail)
        with pytest.raises(OSError, match="No space"):
            spool.append(pa.record_batch({"number": [1]}))
    spool.append(pa.record_batch({"number": [2]}))
    spool.close()
    assert numbers(spool) == [2]
    assert len(list((tmp_path / "spool").iterdir())) == 1, "nothing is left of the file that could not be made"


def test_a_file_that_a_killed_process_had_not_named_is_removed_after_an_hour(tmp_path):
    for name, age in ((".new", 0), (".old", 7200)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    Spool(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".new"]


def test_each_model_of_each_lake_has_a_folder_for_its_owner_only(tmp_path):
    assert spool_folder("/lake", "a") != spool_folder("/lake", "b") != spool_folder("/other", "b")
    shared, private = tmp_path / "shared", tmp_path / "shared" / "spool"
    private.mkdir(parents=True)
    for folder in (shared, private):
        folder.chmod(0o755)
    Spool(private)
    assert [oct(folder.stat().st_mode & 0o777) for folder in (shared, private)] == ["0o755", "0o700"]
    assert isinstance(spool_folder("/lake", "a"), Path)
