"""A signal in the middle of a verb: one sentence, what was committed stays, and the named command goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from ml_assets.cli.commands import serve
from ml_assets.cli.demo import landing
from ml_assets.cli.demo.simulated_days import was_interrupted
from ml_assets.service.server import run
from ml_assets_tests.cli.command_line import call
from ml_assets_tests.cli.interruptions import accept_signals, call_interrupted, interrupt


def landed(root: Path) -> dict[str, int]:
    """Return the number of rows of each file, all of which can be read."""
    return {str(path.relative_to(root)): len(pd.read_parquet(path)) for path in sorted(root.rglob("*.parquet"))}


@pytest.mark.slow
def test_a_simulation_in_a_process_of_its_own_goes_on_after_a_signal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ML_ASSETS_LANDING", str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "ml_assets.cli", "simulate", "--days", "4000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=accept_signals,
    )
    while len(list(tmp_path.rglob("*.parquet"))) < 3 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + signal.SIGTERM, "")
    assert error.strip() == (
        "Interrupted (SIGTERM): what was committed stays, and nothing is half-written; "
        "`ml-assets simulate --days 4000` goes on from there."
    )
    before = landed(tmp_path)
    assert len(before) >= 3
    assert was_interrupted(tmp_path)
    call("simulate", "--days", "4")
    assert not was_interrupted(tmp_path)
    assert before.items() <= landed(tmp_path).items()
    assert "transactions have landed" in capsys.readouterr().out


def test_a_signal_whose_exception_a_library_drops_ends_a_simulation_after_the_day(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_ASSETS_LANDING", str(tmp_path))

    def simulate_days(start: date, days: int, **_: object) -> Iterator[tuple[date, pd.DataFrame]]:
        for number in range(days):
            with suppress(KeyboardInterrupt):
                interrupt()
            yield start + timedelta(days=number), pd.DataFrame({"amount": [1.0]})

    monkeypatch.setattr(landing, "simulate_days", simulate_days)
    assert call_interrupted("simulate", "--days", "3") == 128 + signal.SIGTERM
    assert list(landed(tmp_path).values()) == [1]
    assert was_interrupted(tmp_path)


def test_a_service_that_gets_a_signal_says_so_and_ends_with_status_0(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ML_ASSETS_LAKE", str(tmp_path))
    monkeypatch.setattr(serve, "build_app", lambda *_: None)

    def end_like_uvicorn(*_: object) -> None:
        try:
            interrupt()
        except KeyboardInterrupt:
            return

    monkeypatch.setattr(run, "run_server", end_like_uvicorn)
    assert call_interrupted("serve", "fraud_detection", "--port", "8001") == os.EX_OK
    assert capsys.readouterr().err.strip() == (
        "Interrupted (SIGTERM): the service has ended, and `ml-assets serve fraud_detection --port 8001` "
        "starts it again."
    )
