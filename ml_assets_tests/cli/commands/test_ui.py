"""`ml-assets ui` and `ml-assets mlflow` run the servers of other packages."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

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
    monkeypatch.setattr(os, "execv", lambda program, arguments: seen.update(program=program, arguments=arguments))
    monkeypatch.setattr(ui, "_supervise", lambda arguments: seen.update(program=arguments[0], arguments=arguments))
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


def test_on_windows_the_ui_is_a_process_whose_exit_code_counts(become, monkeypatch):
    commands: list[list[str]] = []

    def run(command: list[str]) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=3)

    monkeypatch.setattr(ui.sys, "platform", "win32")
    monkeypatch.setattr(ui.subprocess, "run", run)
    with pytest.raises(SystemExit) as ended:
        ui.start_dagster("127.0.0.1", 3001)
    assert ended.value.code == 3
    assert commands[0][0] == sys.executable
    assert commands[0][3] == "dev"
    assert "program" not in become


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
import subprocess, sys, time
# A process of the server's own, which would print a stack trace at SIGINT.
subprocess.Popen([sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"])
time.sleep(60)
"""
SUPERVISED = f"""
import sys
from ml_assets.cli import faults
from ml_assets.cli.commands import ui
ui._command_line = lambda *_: [sys.executable, "-c", {SERVER!r}]
from ml_assets.cli.command_group import cli
cli(["mlflow"], prog_name="ml-assets")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="consoles of Windows have no signals")
def test_ctrl_c_ends_mlflow_with_all_of_its_processes_and_one_sentence(tmp_path):
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/m.db", "DAGSTER_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SUPERVISED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
        preexec_fn=accept_signals,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "MLflow opens at http://127.0.0.1:5000\n"
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    # Ends when nobody has the pipe any more.
    printed, errors = process.communicate(timeout=30)
    assert printed == ""
    assert errors == "\nInterrupted (SIGINT): the service has ended, and `ml-assets mlflow` starts it again.\n"
    assert process.returncode == 0
