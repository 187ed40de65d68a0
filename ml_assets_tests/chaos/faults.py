"""Faults of the world under a run, each followed by a run that is not disturbed: what is left has to be what there
would be without the fault.
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
from ml_assets_tests.chaos.child import CONTEXT, LONGEST, run, start
from ml_assets_tests.chaos.content import Content, content, differences
from ml_assets_tests.chaos.kills import Report, told
from ml_assets_tests.chaos.places import ChaosWorld, Place, faulty_file, good_rows, new_place
from ml_assets_tests.chaos.proxy import FaultProxy, some
from ml_assets_tests.pipeline.world import day
from ml_assets_tests.support.postgresql import PostgresqlServer

DAY_IN_SECONDS = 86_400
LAST_LINES = 12
# What a step says of a fault of the world, with what to do; and how libraries name a database that is away, where
# Dagster cannot even note a failure.
SERVICE = r"a service outside did not work .*re-execute the run from failure"
FULL = rf"a place outside refused: .*Check .*free space|{SERVICE}|database or disk is full|disk I/O error|No space left on device"
DATABASE = rf"{SERVICE}|OperationalError|InterfaceError"


def recover(place: Place, undisturbed: Content, report: Report, besides: Collection[str] = ()) -> Report:
    """Run again without a fault, and compare."""
    log = place.root / "recovery.log"
    if status := run(place, log):
        report.wrong.append(f"the run after it failed with status {status}: {log.read_text()[-1500:]}")
    report.said += told(log)
    report.wrong += differences(undisturbed, content(place), besides)
    return report


def failure_of(log: Path) -> list[str]:
    """What a run that failed says: of its steps, or, when Dagster itself could not go on, the exception that ended
    it.
    """
    lines = log.read_text().splitlines()
    return [line for line in lines if line.startswith("STEP FAILED")] or [
        f"DAGSTER FAILED {' '.join(lines[-LAST_LINES:])}"
    ]


def ended(report: Report, status: int | None, log: Path, explanation: str) -> None:
    """Note how a run ended under a fault; one that failed has to have said so in words that match `explanation`."""
    if status == 0:
        report.said.append("got through")
        return
    failures = failure_of(log)
    report.said += failures
    report.wrong += [
        f"nothing in this explains the failure: {line[-1500:]}" for line in failures if not re.search(explanation, line)
    ]


def spoilt_requests(place: Place, proxy: FaultProxy, share: float, draw: random.Random, undisturbed: Content) -> Report:
    """A share of all requests to S3 go wrong, in all ways; the run gets through, or fails with a message."""
    report, log = Report(f"S3: {share:.0%} of the requests spoilt"), place.root / "spoilt.log"
    proxy.done.clear()
    proxy.plan = some(share, draw)
    status = run(place, log)
    done = ", ".join(f"{number} {fault}" for fault, number in sorted(proxy.done.items()))
    proxy.calm()
    report.said = [done]
    ended(report, status, log, SERVICE)
    return recover(place, undisturbed, report)


def outage(place: Place, proxy: FaultProxy, after: int, undisturbed: Content) -> Report:
    """S3 is gone from a request on, for the rest of the run, which says so in words."""
    report, log = Report(f"S3 gone after {after} requests"), place.root / "outage.log"
    proxy.plan = lambda number, method, path: "reset" if number > after else None
    status = run(place, log)
    proxy.calm()
    ended(report, status, log, SERVICE)
    if status != 1:
        report.wrong.append(f"the run ended with status {status} while S3 was gone")
    return recover(place, undisturbed, report)


def full_disk(root: Path, kilobytes: int, undisturbed: Content) -> Report:
    """The disk of lake, landing, registry and Dagster's state is full in the middle of the run; then there is room
    again.
    """
    report = Report(f"disk full at {kilobytes} KB")
    root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(root)]
    if subprocess.run(mount, capture_output=True).returncode:
        report.said.append("not done: a small file system cannot be mounted here")
        return report
    try:
        place = new_place(root / "world")
        log = root.with_suffix(".log")
        status = run(place, log)
        ended(report, status, log, FULL)
        subprocess.run(["mount", "-o", "remount,size=200m", str(root)], check=True, capture_output=True)
        return recover(place, undisturbed, report)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True, capture_output=True)


def restarts(
    place: Place,
    what: str,
    stop: Callable[[], None],
    begin: Callable[[], None],
    draw: random.Random,
    undisturbed: Content | None,
) -> Report:
    """A server is stopped at once, three times under a run, and started again a second later."""
    report, log = Report(f"{what} restarted under a run"), place.root / "restarts.log"
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
    ended(report, process.exitcode, log, DATABASE)
    return recover(place, undisturbed, report) if undisturbed else report


def postgresql_restarts(server: PostgresqlServer, place: Place, draw: random.Random, undisturbed: Content) -> Report:
    """The database of MLflow's and of Dagster's state goes down under a run."""
    return restarts(place, "PostgreSQL", server.stop, server.start, draw, undisturbed)


def mlflow_restarts(place: Place, draw: random.Random, undisturbed: Content) -> Report:
    """The MLflow server goes down under a run; its store is the one that lies in the world."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
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
        report = restarts(served, "MLflow", stop, begin, draw, None)
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


def two_at_once(place: Place, undisturbed: Content) -> Report:
    """Two runs of all stages over all days, at the same moment."""
    # Two processes that open a new home of Dagster at once may both make its tables, and one fails.
    ChaosWorld(place)
    report, together = Report("two runs of the same days at once"), CONTEXT.Barrier(2)
    logs = [place.root / f"{name}.log" for name in ("one", "other")]
    processes = [start(place, log, together=together) for log in logs]
    for process, log in zip(processes, logs, strict=True):
        process.join(LONGEST)
        # The one that is not first may have lost to the other for good, and says so.
        ended(report, process.exitcode, log, SERVICE)
    # Reports name versions by their numbers, which may have gaps.
    return recover(place, undisturbed, report, besides=["reports"])


def clock_set_back(place: Place, undisturbed: Content) -> Report:
    """The first days are made with the right clock, the rest with one that is a day behind."""
    report = Report("clock set back by a day after day 7")
    for wrong, last in ((0, 7), (-DAY_IN_SECONDS, 9)):
        log = place.root / f"clock{wrong}.log"
        if status := run(replace(place, clock=wrong), log, days=(1, last)):
            report.wrong.append(f"the run with the clock at {wrong} s failed with status {status}: {failure_of(log)}")
        report.said += told(log)
    # The newest day of a run has more pictures.
    return recover(place, undisturbed, report, besides=["reports"])


def spoilt_files(place: Place, undisturbed: Content) -> Report:
    """Landed files are truncated, garbage and empty; they are named, and repaired afterwards."""
    report, landing = (
        Report("landed files truncated, garbage and empty"),
        open_objects(f"{place.base}/landing", place.s3),
    )
    spoilt = {4: "truncated", 5: "garbage", 6: "empty"}
    for number, how in spoilt.items():
        landing.write(f"{day(number)}/rows.parquet", faulty_file(number, how))
    log = place.root / "spoilt.log"
    # No model is trained yet: what is decided about one stays decided.
    if status := run(place, log, names=LANDED_TO_FEATURES):
        report.wrong.append(f"the run failed with status {status}: {failure_of(log)}")
    report.said = told(log)
    for number, how in spoilt.items():
        if not any(str(day(number)) in line and "rows.parquet" in line for line in report.said):
            report.wrong.append(f"nobody says that the file of {day(number)} is {how}")
        landing.write(f"{day(number)}/rows.parquet", good_rows(number))
    # The report of a day shows how many rows the days before had when it was written.
    return recover(place, undisturbed, report, besides=["reports"])
