"""An interrupted command says so in a sentence, with the exit status of a shell, and so does one with damaged state."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ml_assets.cli.commands import run
from ml_assets.cli.faults import describe_interruption
from ml_assets.core.operations.failures.damaged_state import DamagedState
from ml_assets_tests.cli.command_line import call
from ml_assets_tests.cli.interruptions import accept_signals, kept_handlers
from ml_assets_tests.support.http_server import QuietHandler, http_server

SCRIPT = """
import sys, time
import click
from ml_assets.cli.faults import ReportingGroup, check_interrupted

@click.group(cls=ReportingGroup)
def cli(): ...

@cli.command()
@click.argument("how")
def run(how):
    if how == "swallows":
        print("ready", flush=True)
        try:
            time.sleep(60)
        except BaseException:
            pass
        check_interrupted()
        print("went on")
    if how == "dagster":
        from dagster._core.errors import DagsterExecutionInterruptedError
        from dagster._utils.interrupts import raise_interrupts_as
        with raise_interrupts_as(DagsterExecutionInterruptedError):
            print("ready", flush=True)
            time.sleep(60)
    print("ready", flush=True)
    time.sleep(60)

cli()
"""


def start(how: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, "run", how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=accept_signals,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.mark.parametrize(
    ("number", "status", "how"),
    [
        (signal.SIGINT, 130, "sleeps"),
        (signal.SIGTERM, 143, "swallows"),
        (signal.SIGINT, 130, "dagster"),
        (signal.SIGTERM, 143, "dagster"),
    ],
)
def test_a_signal_ends_a_command_with_one_sentence(number, status, how):
    process = start(how)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    assert process.returncode == status, error
    assert out == ""
    assert error.strip() == (
        f"Interrupted ({number.name}): what was committed stays, and nothing is half-written; "
        f"`ml-assets run {how}` goes on from there."
    )


@pytest.mark.parametrize(("error", "is_shown"), [("KeyboardInterrupt()", False), ("ValueError(7)", True)])
def test_a_signal_in_a_callback_of_the_garbage_collector_prints_no_stack_trace(error, is_shown):
    script = (
        "import os, signal, sys, weakref\n"
        "from ml_assets.cli.faults import Interrupted, hide_interrupted_callbacks, listen_to_signals\n"
        "listen_to_signals(), hide_interrupted_callbacks()\n"
        "def collected(reference):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    except Interrupted:\n"
        f"        raise {error} from None\n"
        "watched = set()\n"
        "reference = weakref.ref(watched, collected)\n"
        "del watched\n"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, preexec_fn=accept_signals)
    assert ("Traceback" in ended.stderr) is is_shown, ended.stderr


def test_a_warning_about_a_specification_is_printed_once_as_a_sentence(small, tmp_path):
    small["checks"] = {"no_leak": None}
    (tmp_path / "small.json").write_text(json.dumps(small, default=str))
    code = """
import json, sys, warnings
from ml_assets.cli.faults import hide_library_warnings
from ml_assets.core.model_spec import ModelSpec
hide_library_warnings()
for _ in range(2):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=ImportWarning)
        ModelSpec.model_validate(json.load(open(sys.argv[1])))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "small.json")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    (line,) = printed.splitlines()
    assert line.startswith("warning: small: checks.no_leak: the check no_leak is now called target_leakage. Rename it")


def test_damaged_state_ends_a_command_with_its_message_and_status_1(monkeypatch):
    def fail(*_: object) -> None:
        raise DamagedState("runs.db is damaged: all is lost. Restore it")

    monkeypatch.setattr(run, "run_model", fail)
    # A text as status is printed to standard error, and the shell gets 1.
    with kept_handlers(), pytest.raises(SystemExit, match=r"^runs\.db is damaged: all is lost\. Restore it$"):
        call("run", "fraud_detection")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            NotADirectoryError(errno.ENOTDIR, "Not a directory", "/x/lake"),
            r"Not a directory: '/x/lake'\. Check address",
        ),
        (TimeoutError("no answer"), r"no answer\. Try it again; `ml-assets doctor`"),
    ],
)
def test_a_place_that_refuses_or_does_not_answer_ends_a_command_without_a_stack_trace(monkeypatch, error, message):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(run, "run_model", fail)
    with kept_handlers(), pytest.raises(SystemExit, match=message):
        call("run", "fraud_detection")


def test_a_request_that_an_mlflow_server_refuses_ends_a_command_with_its_answer(monkeypatch):
    class Refusal(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 403)
            self.end_headers()
            self.wfile.write(b"OK" if self.path == "/health" else b"Invalid Host header")

    with http_server(Refusal) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address.replace("http://", "http://me:hunter2@"))
        message = r"^MLflow at http://127\.0\.0\.1:\d+ failed: .*Invalid Host header.*`ml-assets doctor`"
        with kept_handlers(), pytest.raises(SystemExit, match=message) as ended:
            call("kserve", "fraud_detection")
    assert "hunter2" not in str(ended.value)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["plan", "m"], "nothing was changed; `ml-assets plan m` starts again"),
        (["serve", "m"], "the service has ended, and `ml-assets serve m` starts it again"),
        (["rollback", "m", "--reason", "a b"], "`ml-assets releases m` completes and prints it"),
        (["repair", "m", "--file", "a b.csv"], "`ml-assets repair m --file 'a b.csv'` goes on from there"),
    ],
)
def test_the_sentence_names_the_command_to_go_on_with(arguments, expected):
    assert expected in describe_interruption(signal.SIGTERM, arguments)
