"""Runs that died with the process of their command are reported and marked as failed; live runs, and runs of which
nothing is known, are not.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionResult
from dagster._serdes import serialize_value

from ml_assets.resources.dagster_instance.dead_runs import FOLDER, fail_dead_runs, is_alive, mark_alive
from ml_assets.resources.dagster_instance.run_launcher import MonitoredRunLauncher
from ml_assets.resources.dagster_internals.run_tags import GRPC_INFO_TAG

# Of the instance it needs to know no more; Dagster takes seconds to import.
HOLDS = """
import sys
from types import SimpleNamespace
from ml_assets.resources.dagster_instance.dead_runs import mark_alive
mark_alive(SimpleNamespace(is_ephemeral=False, root_directory=sys.argv[1]), sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").touch()
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


@pytest.fixture
def begin(instance: dg.DagsterInstance) -> Iterator[Callable[[], tuple[str, subprocess.Popen]]]:
    """Start a run in a process of its own."""
    begun = []

    def begin() -> tuple[str, subprocess.Popen]:
        run_id = create_run_for_test(instance, status=DagsterRunStatus.STARTED).run_id
        command = [sys.executable, "-W", "ignore", "-c", HOLDS, instance.root_directory, run_id]
        begun.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        assert begun[-1].stdout.readline() == b"held\n"
        return run_id, begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def status(instance: dg.DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def files(instance: dg.DagsterInstance) -> list[str]:
    return sorted(os.listdir(Path(instance.root_directory) / FOLDER))


def test_a_run_whose_process_was_killed_is_marked_as_failed_and_reported_once(instance, begin):
    dead, process = begin()
    alive, _ = begin()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (is_alive(instance, dead), is_alive(instance, alive)) == (False, True)
    (message,) = fail_dead_runs(instance)
    assert message.startswith(f"run {dead} of ")
    assert "did not end: its process is gone" in message
    assert (status(instance, dead), status(instance, alive)) == (DagsterRunStatus.FAILURE, DagsterRunStatus.STARTED)
    assert fail_dead_runs(instance) == []
    assert files(instance) == [alive]


def test_a_process_that_exits_normally_leaves_no_lock_file(instance, begin):
    _, process = begin()
    process.communicate(b"")
    assert files(instance) == []


def test_a_process_of_a_code_server_leaves_no_lock_file(instance):
    owner = SimpleNamespace(is_ephemeral=False, root_directory=instance.root_directory)
    process = multiprocessing.get_context("spawn").Process(target=mark_alive, args=(owner, "run"))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert files(instance) == []


def test_a_run_of_this_process_and_one_that_nobody_marked_go_on(instance):
    marked, unknown = (create_run_for_test(instance, status=DagsterRunStatus.STARTED).run_id for _ in range(2))
    mark_alive(instance, marked)
    mark_alive(instance, marked)
    assert (is_alive(instance, marked), is_alive(instance, unknown)) == (True, None)
    assert fail_dead_runs(instance) == []


def test_a_run_that_had_ended_before_its_process_died_stays_as_it_is(instance, begin):
    run_id, process = begin()
    instance.report_run_canceled(instance.get_run_by_id(run_id))
    process.kill()
    process.wait()
    assert fail_dead_runs(instance) == []
    assert status(instance, run_id) == DagsterRunStatus.CANCELED
    assert files(instance) == []


def test_a_home_that_cannot_be_written_stops_no_run(instance):
    Path(instance.root_directory, FOLDER).write_text("not a folder")
    mark_alive(instance, "run")
    assert is_alive(instance, "run") is None


@pytest.mark.parametrize("tags", [{}, {GRPC_INFO_TAG: '{"host": "localhost", "socket": "/none"}'}])
def test_run_monitoring_detects_a_dead_run(instance, begin, tags, monkeypatch):
    # A code server whose thread for dead runs has ended still counts the run among its own.
    answer = serialize_value(CanCancelExecutionResult(can_cancel=True))
    monkeypatch.setattr(DagsterGrpcClient, "can_cancel_execution", lambda *_: answer)
    run_id, process = begin()
    instance.add_run_tags(run_id, tags)
    launcher = MonitoredRunLauncher()
    launcher.register_instance(instance)
    run = instance.get_run_by_id(run_id)
    assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    process.kill()
    process.wait()
    health = launcher.check_run_worker_health(run)
    assert (health.status, health.msg) == (WorkerStatus.FAILED, "the process of the run is gone")


def test_a_run_whose_process_holds_its_lock_is_alive_whatever_a_code_server_answers(instance, begin, monkeypatch):
    answer = serialize_value(CanCancelExecutionResult(can_cancel=False))
    monkeypatch.setattr(DagsterGrpcClient, "can_cancel_execution", lambda *_: answer)
    run_id, _ = begin()
    unmarked = create_run_for_test(instance, status=DagsterRunStatus.STARTED).run_id
    launcher = MonitoredRunLauncher()
    launcher.register_instance(instance)
    states = []
    for identity in (run_id, unmarked):
        instance.add_run_tags(identity, {GRPC_INFO_TAG: '{"host": "localhost", "socket": "/none"}'})
        states.append(launcher.check_run_worker_health(instance.get_run_by_id(identity)).status)
    assert states == [WorkerStatus.RUNNING, WorkerStatus.FAILED]
