"""Capture samples, bounds its memory, counts what it drops, and waits for the lake."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from threading import Event

import pyarrow as pa
import pytest

from ml_assets.core.serving.captured_requests import RequestColumns
from ml_assets.service.capture import request_capture
from ml_assets.service.capture.request_capture import RequestCapture
from ml_assets.service.capture.spool import Spool
from ml_assets_tests.core.serving.request_cases import request, spec_with

DAY = date(2025, 1, 10)


class Lake:
    """Segments in memory; writing fails while `is_down`."""

    def __init__(self) -> None:
        self.segments: dict[tuple[date, str], pa.Table] = {}
        self.is_down = False

    def write(self, day: date, name: str, rows: pa.Table) -> None:
        if self.is_down:
            raise OSError("the bucket does not answer")
        self.segments[day, name] = rows

    def ids(self) -> list[int]:
        return sorted(number for rows in self.segments.values() for number in rows["id"].to_pylist())


class Counts:
    """The metrics of the capture."""

    def __init__(self) -> None:
        self.captured = 0
        self.dropped: Counter[str] = Counter()

    def record_captured(self, rows: int) -> None:
        self.captured += rows

    def record_capture_dropped(self, reason: str, rows: int) -> None:
        self.dropped[reason] += rows


def capture_of(
    folder: Path, lake: Lake, clock: Callable[[], float] = time.monotonic, **settings
) -> tuple[RequestCapture, Counts]:
    spec, counts = spec_with(**settings), Counts()
    assert spec.deployment.capture
    capture = RequestCapture(RequestColumns(spec, None), spec.deployment.capture, Spool(folder), lake.write, clock)
    capture.metrics = counts
    return capture, counts


def write_due(capture: RequestCapture, everything: bool = False) -> None:
    """Do what the two threads of a capture do, one after the other."""
    if capture.close_spool_if_due(everything):
        capture.write_segments()


def test_requests_are_in_the_lake_after_the_time_of_the_specification(tmp_path):
    lake, seconds = Lake(), [0.0]
    capture, counts = capture_of(tmp_path, lake, lambda: seconds[0], flush_every="1m")
    for number in range(100):
        capture.record(request(number))
    write_due(capture)
    assert (lake.ids(), capture.waiting) == ([], 0)
    seconds[0] = 61.0
    write_due(capture)
    assert lake.ids() == list(range(100))
    assert {day for day, _ in lake.segments} == {DAY}
    assert (len(lake.segments), counts.captured, counts.dropped) == (1, 100, {})


def test_every_process_keeps_the_same_rows_of_a_sample(tmp_path):
    kept = []
    for name, numbers in (("a", range(400)), ("b", reversed(range(400)))):
        lake = Lake()
        capture, _ = capture_of(tmp_path / name, lake, sample=0.25)
        for number in numbers:
            capture.record(request(number))
        write_due(capture, everything=True)
        kept.append(lake.ids())
    assert kept[0] == kept[1]
    # Within three standard deviations of a quarter.
    assert 74 <= len(kept[0]) <= 126
    none = Lake()
    capture, _ = capture_of(tmp_path / "none", none, sample=0)
    capture.record(request(1))
    write_due(capture, everything=True)
    assert none.ids() == []
    more = Lake()
    capture, _ = capture_of(tmp_path / "c", more, sample=0.5)
    for number in range(400):
        capture.record(request(number))
    write_due(capture, everything=True)
    assert set(kept[0]) < set(more.ids()), "a larger sample has the rows of the smaller one"


def test_memory_is_bounded_and_what_does_not_fit_is_counted(tmp_path):
    capture, counts = capture_of(tmp_path, Lake(), buffer_rows=5)
    for number in range(8):
        capture.record(request(number))
    assert (capture.waiting, capture.dropped, counts.dropped) == (5, {"buffer_full": 3}, {"buffer_full": 3})


def test_a_lake_that_is_down_loses_nothing_and_the_log_says_so_once(tmp_path, caplog):
    lake = Lake()
    capture, counts = capture_of(tmp_path, lake)
    lake.is_down = True
    for number in range(3):
        capture.record(request(number))
        write_due(capture, everything=True)
    assert lake.ids() == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "the bucket does not answer" in caplog.text
    lake.is_down = False
    write_due(capture, everything=True)
    assert lake.ids() == [0, 1, 2]
    assert counts.dropped == {}


def test_a_full_spool_drops_and_counts(tmp_path, monkeypatch):
    lake = Lake()
    capture, counts = capture_of(tmp_path, lake)
    lake.is_down = True
    capture.record(request(1))
    write_due(capture, everything=True)
    monkeypatch.setattr(request_capture, "SPOOL_BYTES", 1)
    capture.record(request(2))
    write_due(capture)
    assert counts.dropped == {"spool_full": 1}


def test_a_request_that_is_no_row_is_dropped_and_the_others_are_kept(tmp_path):
    lake = Lake()
    capture, counts = capture_of(tmp_path, lake)
    for number in (2, 1, 3):
        capture.record(request(number, **({"id": "no number"} if number == 1 else {})))
    write_due(capture, everything=True)
    assert lake.ids() == [2, 3]
    assert counts.dropped == {"not_written": 1}


def test_processes_that_share_a_folder_and_one_that_died_write_each_row_once(tmp_path):
    lake = Lake()
    captures = [capture_of(tmp_path, lake)[0] for _ in range(3)]
    for number, capture in enumerate(captures):
        capture.record(request(number))
        write_due(capture)
    # Its lock ends with a process that is killed.
    captures[2]._spool.close()
    for capture in captures[:2]:
        write_due(capture, everything=True)
    assert lake.ids() == [0, 1, 2]
    assert len(lake.segments) == 3


def test_the_thread_writes_what_is_left_when_the_service_ends(tmp_path):
    lake = Lake()
    capture, _ = capture_of(tmp_path, lake)
    capture.start()
    for number in range(200):
        capture.record(request(number))
    capture.stop()
    assert lake.ids() == list(range(200))


def test_a_lake_that_is_slow_fills_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(request_capture, "TICK_SECONDS", 0.01)
    lake, answers, is_asked = Lake(), Event(), Event()
    write = lake.write

    def wait(*segment) -> None:
        is_asked.set()
        answers.wait(10)
        write(*segment)

    lake.write = wait
    capture, counts = capture_of(tmp_path, lake, buffer_rows=5)
    capture.record(request(0))
    capture.start()
    assert is_asked.wait(10)
    for number in range(1, 40):
        capture.record(request(number))
        for _ in range(1000):
            if not capture.waiting:
                break
            time.sleep(0.002)
    assert (lake.ids(), counts.dropped) == ([], {})
    answers.set()
    capture.stop()
    assert lake.ids() == list(range(40))


def test_a_file_of_another_specification_holds_up_no_other(tmp_path, caplog):
    lake = Lake()
    spool = Spool(tmp_path)
    spool.append(pa.record_batch({"id": [7], "happened_at": ["yesterday"]}))
    spool.close()
    capture, counts = capture_of(tmp_path, lake)
    capture.record(request(1))
    write_due(capture, everything=True)
    assert (lake.ids(), counts.dropped) == ([1], {"not_written": 1})
    assert "served requests cannot be kept" in caplog.text
    assert spool.bytes() == 0


def test_a_full_disk_is_logged_once_and_what_it_does_not_take_is_counted(tmp_path, monkeypatch, caplog):
    lake = Lake()
    capture, counts = capture_of(tmp_path, lake)

    def refuse(*_) -> None:
        raise OSError(28, "No space left on device")

    for number in range(150):
        capture.record(request(number))
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "append", refuse)
        write_due(capture)
    assert counts.dropped == {"not_written": 150}
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "No space left on device" in caplog.text
    capture.record(request(1))
    write_due(capture, everything=True)
    assert lake.ids() == [1]


@pytest.mark.slow
def test_recording_takes_microseconds(tmp_path):
    capture, _ = capture_of(tmp_path, Lake(), buffer_rows=1_000_000)
    served = request(1)
    begun = time.perf_counter()
    for _ in range(100_000):
        capture.record(served)
    assert (time.perf_counter() - begun) / 100_000 < 20e-6
