"""`ml-assets ui` and `ml-assets mlflow` run the servers of other packages."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ml_assets.cli.commands import ui
from ml_assets.defs.settings import REPOSITORY, read_settings
from ml_assets_tests.cli.command_line import call
from ml_assets_tests.cli.interruptions import accept_signals

# Variables that are set where they are not.
OF_SERVER = ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "PYTHONWARNINGS")


@pytest.fixture
def become(tmp_path, monkeypatch) -> dict:
    """What the process would become, and where."""
    seen: dict = {}
    settings = replace(read_settings({}), dagster_home=str(tmp_path), mlflow="postgresql://ann:secret@db/mlflow")
    monkeypatch.setattr(ui, "require_settings", lambda: seen.get("settings", settings))
    monkeypatch.setattr(os, "chdir", lambda folder: seen.update(folder=folder))
    monkeypatch.setattr(ui, "_supervise", lambda command, **_: seen.update(program=command[0], arguments=command))
    for name in ("MLFLOW_BACKEND_STORE_URI", "MLFLOW_TRACKING_URI", *OF_SERVER):
        monkeypatch.setenv(name, "")
    return seen


def test_the_ui_is_dg_dev_in_the_project(become, capsys):
    call("ui", "--port", "3001")
    assert become["folder"] == REPOSITORY
    assert become["program"] == sys.executable
    assert "dagster_dg_cli" in become["arguments"][2]
    assert become["arguments"][3:] == ["dev", "--host", "127.0.0.1", "--port", "3001", "--log-level", "error"]
    assert capsys.readouterr().out == "Dagster opens at http://127.0.0.1:3001\n"


def test_on_windows_the_ui_is_a_process_whose_exit_code_counts(monkeypatch):
    monkeypatch.setattr(ui.sys, "platform", "win32")
    with pytest.raises(SystemExit) as ended:
        ui._supervise([sys.executable, "-c", "raise SystemExit(3)"])
    assert ended.value.code == 3


def test_mlflow_serves_the_store_whose_password_is_no_argument(become):
    call("mlflow", "--port", "5001")
    assert become["arguments"][3:10] == ["server", "--host", "127.0.0.1", "--port", "5001", "--workers", "1"]
    assert "secret" not in " ".join(become["arguments"])
    assert os.environ["MLFLOW_BACKEND_STORE_URI"] == "postgresql://ann:secret@db/mlflow"


def test_a_server_of_mlflow_is_only_named(become, capsys):
    become["settings"] = replace(read_settings({}), mlflow="http://mlflow:5000")
    call("mlflow")
    assert capsys.readouterr().out == "MLflow runs as a separate server: http://mlflow:5000\n"
    assert "program" not in become


SERVER = """
import signal, subprocess, sys, time
# As Dagster's servers do.
signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
# A process of the server's own, which would print a stack trace at SIGINT.
subprocess.Popen([sys.executable, "-c", {own!r}])
try:
    time.sleep(60)
except KeyboardInterrupt:
    pass
"""
SUPERVISED = """
import sys
from ml_assets.cli import faults
from ml_assets.cli.commands import ui
ui._command_line = lambda *_: [sys.executable, "-c", {server!r}]
from ml_assets.cli.command_group import cli
cli([{verb!r}], prog_name="ml-assets")
"""
READY = "import time; print('ready', flush=True); time.sleep({seconds}); print('ended')"


def be_in_the_background() -> None:
    """Ignore SIGINT, as a command that a script starts in the background does."""
    accept_signals()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def interrupt_server(
    verb: str, own: str, folder: Path, begin: Callable[[], None] = accept_signals, number: int = signal.SIGINT
) -> tuple[int, str, str]:
    """Run a verb whose server has a process of its own, and interrupt it; return its exit code and what was printed."""
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/m.db", "DAGSTER_HOME": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SUPERVISED.format(server=SERVER.format(own=own), verb=verb)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
        preexec_fn=begin,
    )
    assert process.stdout is not None
    assert " opens at http://127.0.0.1:" in process.stdout.readline()
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, number)
    # Ends when nobody has the pipe any more.
    printed, errors = process.communicate(timeout=30)
    return process.returncode, printed, errors


@pytest.mark.skipif(sys.platform == "win32", reason="consoles of Windows have no signals")
def test_ctrl_c_ends_mlflow_with_all_of_its_processes_and_one_sentence(tmp_path):
    code, printed, errors = interrupt_server("mlflow", READY.format(seconds=60), tmp_path)
    assert printed == ""
    assert errors == "\nInterrupted (SIGINT): the service has ended, and `ml-assets mlflow` starts it again.\n"
    assert code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="consoles of Windows have no signals")
def test_ctrl_c_ends_dagster_and_lets_a_run_go_on_to_its_end(tmp_path):
    code, printed, errors = interrupt_server("ui", READY.format(seconds=2), tmp_path)
    assert printed == "ended\n"
    assert errors == (
        "\nInterrupted (SIGINT): Dagster has ended, and `ml-assets ui` starts it again, with the runs in the queue. "
        "A run in progress goes on to its end.\n"
    )
    assert code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="consoles of Windows have no signals")
def test_sigterm_ends_dagster_in_the_background_of_a_script_where_sigint_is_ignored(tmp_path):
    own = READY.format(seconds=1)
    code, printed, errors = interrupt_server("ui", own, tmp_path, be_in_the_background, signal.SIGTERM)
    assert printed == "ended\n"
    assert errors.startswith("\nInterrupted (SIGTERM): Dagster has ended, ")
    assert code == 0
