"""Tests of landing simulated files."""

import io
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from ml_assets.cli.demo.landing import write_landing
from ml_assets.cli.demo.simulated_days import FIRST_DAY, RECORD, WEEK, was_interrupted
from ml_assets.cli.demo.simulator import simulate_days
from ml_assets.resources.storage.open_store import open_objects

START = date(2025, 1, 1)
MOVED = (START - FIRST_DAY) // WEEK * WEEK


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, str]]:
    return (str(tmp_path / "landing"), {}) if request.param == "directory" else request.getfixturevalue("bucket")


def contents(place) -> dict[str, bytes]:
    objects = open_objects(*place)
    return {key: objects.read(key) for key in sorted(objects.keys()) if key != RECORD}


def test_one_file_a_day_holds_the_simulated_rows(place):
    reported = []
    rows = write_landing(place[0], START, 2, report=reported.append, s3=place[1])
    assert reported == [date(2025, 1, 1), date(2025, 1, 2)]
    landed = contents(place)
    assert list(landed) == [f"fraud_detection/{day}/transactions.parquet" for day in reported]
    frames = [pd.read_parquet(io.BytesIO(content)) for content in landed.values()]
    for (_, expected), frame in zip(simulate_days(START, 2, moved_by=MOVED), frames, strict=True):
        pd.testing.assert_frame_equal(frame, expected)
    assert rows == sum(map(len, frames))


def test_writing_again_leaves_the_same_bytes(place):
    write_landing(place[0], START, 1, s3=place[1])
    before = contents(place)
    write_landing(place[0], START, 1, s3=place[1])
    assert contents(place) == before


def test_an_interrupted_simulation_is_known_until_it_is_done_again(place):
    def die(day: date) -> None:
        if day == date(2025, 1, 2):
            raise KeyboardInterrupt

    assert not was_interrupted(*place)
    with pytest.raises(KeyboardInterrupt):
        write_landing(place[0], START, 3, report=die, s3=place[1])
    assert was_interrupted(*place)
    write_landing(place[0], START, 3, s3=place[1])
    assert not was_interrupted(*place)
    assert len(contents(place)) == 3


def test_a_write_that_fails_leaves_the_old_file_and_nothing_unfinished(tmp_path, monkeypatch):
    write_landing(tmp_path, START, 1)
    before = contents((str(tmp_path), {}))

    def half_written(self, content):
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", half_written)
    with pytest.raises(OSError, match="disk full"):
        write_landing(tmp_path, START, 1)
    assert contents((str(tmp_path), {})) == before


def test_the_unfinished_file_has_a_name_that_is_never_read(tmp_path, monkeypatch):
    names = []
    write_bytes = Path.write_bytes

    def noted(self, content):
        names.append((self.parent, self.name))
        return write_bytes(self, content)

    monkeypatch.setattr(Path, "write_bytes", noted)
    write_landing(tmp_path, START, 1)
    [_, _, (folder, name)] = names
    assert folder == tmp_path / "fraud_detection" / "2025-01-01"
    assert name.startswith(".")


def test_no_days_write_nothing_and_negative_days_are_refused(tmp_path):
    assert write_landing(tmp_path, START, 0) == 0
    assert contents((str(tmp_path), {})) == {}
    with pytest.raises(ValueError, match="days must be 0 or more"):
        write_landing(tmp_path, START, -1)
