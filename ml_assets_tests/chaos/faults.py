"""Faults of external systems during a run, each followed by an undisturbed run: the result has to be the same as
without the fault.
"""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.chaos.child import LONGEST, run, start
from ml_assets_tests.chaos.content import Content, content, differences
from ml_assets_tests.chaos.kills import Report, warnings_of
from ml_assets_tests.chaos.places import ChaosWorld, Place, faulty_file, good_rows, new_place
from ml_assets_tests.chaos.proxy import FaultProxy, some
from ml_assets_tests.pipeline.world import day
from ml_assets_tests.support.forkserver import CONTEXT
from ml_assets_tests.support.http_server import free_port
from ml_assets_tests.support.postgresql import PostgresqlServer

DAY_IN_SECONDS = 86_400
LAST_LINES = 12
# Messages of a step about transient external failures, with what to do; and the errors of libraries for a database that
# is unavailable, where Dagster cannot even record a failure.
SERVICE = r"an external service failed .*re-execute the run from failure"
FULL = (
    rf"a file or an external service cannot be used: .*Check .*free space|{SERVICE}|database or disk is full|"
    "disk I/O error|No space left on device"
)
DATABASE = rf"{SERVICE}|OperationalError|InterfaceError"


def recover(place: Place, undisturbed: Content, report: Report, besides: Collection[str] = ()) -> Report:
    """Run again without a fault, and compare."""
    log = place.root / "recovery.log"
    if status := run(place, log):
        report.wrong.append(f"the run after it failed with status {status}: {log.read_text()[-1500:]}")
    report.messages += warnings_of(log)
    report.wrong += differences(undisturbed, content(place), besides)
    return report


def failure_of(log: Path) -> list[str]:
    """List the errors of the failed steps of a run or, when Dagster itself could not continue, the exception that ended
    it.
    """
    lines = log.read_text().splitlines()
    return [line for line in lines if line.startswith("STEP FAILED")] or [
        f"DAGSTER FAILED {' '.join(lines[-LAST_LINES:])}"
    ]


def note_end(report: Report, status: int | None, log: Path, explanation: str) -> None:
    """Note how a run ended under a fault; the error of a failed run has to match the pattern `explanation`."""
    if status == 0:
        report.messages.append("succeeded")
        return
    failures = failure_of(log)
    report.messages += failures
    report.wrong += [
        f"this error does not explain the failure: {line[-1500:]}"
        for line in failures
        if not re.search(explanation, line)
    ]


def inject_failing_requests(
    place: Place, proxy: FaultProxy, share: float, draw: random.Random, undisturbed: Content
) -> Report:
    """Let a share of all requests to S3 fail in all ways; the run succeeds, or fails with a message."""
    report, log = Report(f"S3: {share:.0%} of the requests fail"), place.root / "failing.log"
    proxy.done.clear()
    proxy.plan = some(share, draw)
    status = run(place, log)
    done = ", ".join(f"{number} {fault}" for fault, number in sorted(proxy.done.items()))
    proxy.calm()
    report.messages = [done]
    note_end(report, status, log, SERVICE)
    return recover(place, undisturbed, report)


def inject_outage(place: Place, proxy: FaultProxy, after: int, undisturbed: Content) -> Report:
    """Let every request to S3 fail from one on, for the rest of the run, which has to report it."""
    report, log = Report(f"S3 unavailable after {after} requests"), place.root / "outage.log"
    proxy.plan = lambda number, method, path: "reset" if number > after else None
    status = run(place, log)
    proxy.calm()
    note_end(report, status, log, SERVICE)
    if status != 1:
        report.wrong.append(f"the run ended with status {status} while S3 was unavailable")
    return recover(place, undisturbed, report)


def fill_disk(root: Path, kilobytes: int, undisturbed: Content) -> Report:
    """Fill the disk of lake, landing, registry and Dagster's state during a run, then run with space again."""
    report = Report(f"disk full at {kilobytes} KB")
    root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(root)]
    if subprocess.run(mount, capture_output=True).returncode:
        report.messages.append("left out: a small file system cannot be mounted here")
        return report
    try:
        place = new_place(root / "world")
        log = root.with_suffix(".log")
        status = run(place, log)
        note_end(report, status, log, FULL)
        subprocess.run(["mount", "-o", "remount,size=200m", str(root)], check=True, capture_output=True)
        return recover(place, undisturbed, report)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True, capture_output=True)


def restart_server(
    place: Place,
    server: str,
    stop: Callable[[], None],
    begin: Callable[[], None],
    draw: random.Random,
    undisturbed: Content | None,
) -> Report:
    """Stop a server at once, three times during a run, and start it again a second later."""
    report, log = Report(f"{server} restarted during a run"), place.root / "restarts.log"
    process = start(place, log)
    for _ in range(3):
        process.join(draw.uniform(1.0, 8.0))
        if process.exitcode is not None:
            break
        stop()
        time.sleep(1.0)
        begin()
    process.join(LONGEST)
    if process.exitcode is None:
        process.kill()
        report.wrong.append("the run hangs")
    note_end(report, process.exitcode, log, DATABASE)
    return recover(place, undisturbed, report) if undisturbed else report


def restart_postgresql(server: PostgresqlServer, place: Place, draw: random.Random, undisturbed: Content) -> Report:
    """Restart the database of MLflow's and of Dagster's state during a run."""
    return restart_server(place, "PostgreSQL", server.stop, server.start, draw, undisturbed)


def restart_mlflow(place: Place, draw: random.Random, undisturbed: Content) -> Report:
    """Restart the MLflow server during a run; its store is the one in the folder of the world."""
    port = free_port()
    store, artifacts = f"sqlite:///{place.root / 'mlflow.db'}", (place.root / "mlartifacts").as_uri()
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    command += ["--backend-store-uri", store, "--default-artifact-root", artifacts]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    servers: list[subprocess.Popen] = []

    def begin() -> None:
        with (place.root / "server.log").open("ab") as log:
            servers.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))

    def stop() -> None:
        os.killpg(servers[-1].pid, signal.SIGKILL)
        servers[-1].wait()

    begin()
    try:
        _wait_for(port, servers[-1])
        served = replace(place, mlflow=f"http://127.0.0.1:{port}")
        report = restart_server(served, "MLflow", stop, begin, draw, None)
        _wait_for(port, servers[-1])
        return recover(served, undisturbed, report)
    finally:
        stop()


def _wait_for(port: int, server: subprocess.Popen) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.5)
    raise RuntimeError("the MLflow server did not start")


def run_twice_at_once(place: Place, undisturbed: Content) -> Report:
    """Start two runs of all stages and days at the same moment."""
    # Two processes that open a new home of Dagster at once may both create its tables, and one fails.
    ChaosWorld(place)
    report, together = Report("two runs of the same days at once"), CONTEXT.Barrier(2)
    logs = [place.root / f"{name}.log" for name in ("one", "other")]
    processes = [start(place, log, together=together) for log in logs]
    for process, log in zip(processes, logs, strict=True):
        process.join(LONGEST)
        # The second one may have lost all its attempts to the first, and reports it.
        note_end(report, process.exitcode, log, SERVICE)
    # Reports name versions by their numbers, which may have gaps.
    return recover(place, undisturbed, report, besides=["reports"])


def set_clock_back(place: Place, undisturbed: Content) -> Report:
    """Make the first days with the right clock, and the rest with one that is a day behind."""
    report = Report("clock set back by a day after day 7")
    for wrong, last in ((0, 7), (-DAY_IN_SECONDS, 9)):
        log = place.root / f"clock{wrong}.log"
        if status := run(replace(place, clock=wrong), log, days=(1, last)):
            report.wrong.append(f"the run with the clock at {wrong} s failed with status {status}: {failure_of(log)}")
        report.messages += warnings_of(log)
    # The newest day of a run has more pictures.
    return recover(place, undisturbed, report, besides=["reports"])


def damage_files(place: Place, undisturbed: Content) -> Report:
    """Land files that are truncated, garbage and empty; the run names them, and they are repaired afterwards."""
    report, landing = (
        Report("landed files truncated, garbage and empty"),
        open_objects(f"{place.base}/landing", place.s3),
    )
    damaged = {4: "truncated", 5: "garbage", 6: "empty"}
    for number, how in damaged.items():
        landing.write(f"{day(number)}/rows.parquet", faulty_file(number, how))
    log = place.root / "damaged.log"
    # No model is trained yet: what is decided about one stays decided.
    if status := run(place, log, names=LANDED_TO_FEATURES):
        report.wrong.append(f"the run failed with status {status}: {failure_of(log)}")
    report.messages = warnings_of(log)
    for number, how in damaged.items():
        if not any(str(day(number)) in line and "rows.parquet" in line for line in report.messages):
            report.wrong.append(f"no message says that the file of {day(number)} is {how}")
        landing.write(f"{day(number)}/rows.parquet", good_rows(number))
    # The report of a day shows how many rows the days before had when it was written.
    return recover(place, undisturbed, report, besides=["reports"])
