"""Processes that are killed at the same moment lose what was in memory alone, and nothing is in the lake twice."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.segments import Segments
from ml_assets_tests.core.serving.request_cases import spec_with
from ml_assets_tests.service.capture.capturing_process import __name__ as process
from ml_assets_tests.service.capture.capturing_process import capture_of
from ml_assets_tests.service.capture.test_request_capture import DAY

PROCESSES, SECONDS, SECONDS_IN_MEMORY = 3, 2.0, 1.5


@pytest.mark.slow
def test_processes_that_are_killed_together_write_each_row_once(tmp_path):
    spool, lake = tmp_path / "spool", tmp_path / "lake"
    outputs = [tmp_path / f"{number}.txt" for number in range(PROCESSES)]
    running = [start(output, spool, lake, 1_000_000 * number + 1) for number, output in enumerate(outputs)]
    wait_until_captured(outputs)
    time.sleep(SECONDS)
    for child in running:
        child.kill()
    killed_at = time.monotonic()
    for child in running:
        child.wait()
    successor = capture_of(spool, lake)
    successor.start()
    successor.stop()
    segments = Segments(Directory(lake), spec_with().name)
    rows = Counter(number for file in segments.list(DAY) for number in segments.read(file.key)["id"].to_pylist())
    recorded = {number: at for output in outputs for number, at in lines(output)}
    assert set(rows.values()) == {1}
    lost = [number for number, at in recorded.items() if number not in rows and at < killed_at - SECONDS_IN_MEMORY]
    assert lost == []
    assert {number // 1_000_000 for number in rows} == {*range(PROCESSES)}
    assert [path.name for path in spool.iterdir()] == []


def start(output: Path, spool: Path, lake: Path, first: int) -> subprocess.Popen:
    with output.open("w") as file:
        return subprocess.Popen(
            [sys.executable, "-m", process, str(spool), str(lake), str(first)], stdout=file, stderr=subprocess.DEVNULL
        )


def wait_until_captured(outputs: list[Path]) -> None:
    deadline = time.monotonic() + 60
    while not all(lines(output) for output in outputs):
        assert time.monotonic() < deadline, "a process did not begin"
        time.sleep(0.05)


def lines(output: Path) -> list[tuple[int, float]]:
    """Return number and time of each request that a process has recorded; a line that was cut off is left out."""
    parts = [line.split() for line in output.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [(int(number), float(at)) for number, at in parts]
