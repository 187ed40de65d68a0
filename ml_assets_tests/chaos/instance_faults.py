"""Faults of a running Dagster instance: servers killed alone under a backfill, runs that start in several ways at once,
and a clock that is set back between ticks. The tables have to be those of undisturbed runs.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd

from ml_assets.cli.demo.landing import write_landing
from ml_assets.cli.demo.simulated_days import FIRST_DAY, read_simulated_spec
from ml_assets.definitions import DEFS
from ml_assets_tests.chaos.kills import Report
from ml_assets_tests.support.fake_clock import fake_clock_environment
from ml_assets_tests.support.lake_content import digests
from ml_assets_tests.support.local_instance import LocalInstance

MODEL = "fraud_detection"
QUIET = {"sensor": {"enabled": False}, "schedule": {"enabled": False}}
WATCHING = {"sensor": {"every": "1m"}, "schedule": {"enabled": False}}
SERVERS = ("daemon", "code server", "webserver")
DAYS = 12
# The daemon looks at backfills and sensors every few seconds; on a busy machine everything takes many times as long.
LONGEST = 300.0


def kill_server(root: Path, name: str) -> Report:
    """Kill one server, and nothing else, while a backfill runs, and start it again."""
    report = Report(f"{name} killed alone under a backfill")
    first, last = _days(DAYS)
    with LocalInstance(root, [attributes(QUIET)]) as instance:
        write_landing(instance.landing, first, DAYS)
        instance.start_webserver()
        instance.start_daemon()
        backfill = instance.backfill(MODEL, first, last)
        instance.wait("the run", lambda: any(run["status"] == "STARTED" for run in instance.runs()), LONGEST)
        for process in instance.processes_of(name):
            os.kill(process, signal.SIGKILL)
            report.kills.append(f"{name} (process {process})")
        if name == "webserver":
            instance.start_webserver()
        elif name == "daemon":
            instance.start_daemon()
        status = instance.wait("the end of the backfill", lambda: _ended(instance, backfill), LONGEST)
        report.messages.append(f"the backfill ended as {status}; runs: {_statuses(instance)}")
        if status != "COMPLETED_SUCCESS":
            # As its message says, launched again it makes what is missing.
            again = instance.backfill(MODEL, first, last)
            status = instance.wait("the end of the backfill", lambda: _ended(instance, again), LONGEST)
        if status != "COMPLETED_SUCCESS":
            report.wrong.append(f"the backfill that was launched again ended as {status}")
        actual = digests(instance.lake, MODEL)
    with LocalInstance(root.with_name(f"{root.name}-undisturbed"), [attributes(QUIET)]) as instance:
        write_landing(instance.landing, first, DAYS)
        _make(instance, first, last)
        report.wrong += differences(digests(instance.lake, MODEL), actual)
    return report


def start_runs_at_once(root: Path) -> Report:
    """Correct quarantined rows, launch a backfill and land new days at the same time, and compare with one after the
    other.
    """
    report = Report("backfill, sensor and repair at once")
    first, last = _days(DAYS)
    made = first + timedelta(days=DAYS // 2)
    with LocalInstance(root, [attributes(WATCHING)]) as instance:
        write_landing(instance.landing, first, DAYS // 2 + 1)
        _make(instance, first, made)
        corrected = _correct(instance, root)
        undisturbed = _copy(instance, root)
        instance.start_webserver()
        instance.start_daemon()
        write_landing(instance.landing, made + timedelta(days=1), DAYS - DAYS // 2 - 1)
        repair = subprocess.Popen(
            [sys.executable, "-m", "ml_assets.cli", "repair", MODEL, "--file", str(corrected)],
            env=instance.environment, cwd=DEFS.parents[1], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        instance.backfill(MODEL, first, last)
        printed, _ = repair.communicate(timeout=LONGEST)
        if repair.returncode:
            report.messages.append(f"repair ended with status {repair.returncode}: {printed[-500:]}")
        instance.wait("the run of the sensor", lambda: _sensor_runs(instance), LONGEST)
        instance.wait("the end of all runs", lambda: _all_ended(instance), LONGEST)
        report.messages.append(f"runs: {_statuses(instance)}")
        if repair.returncode:
            report.wrong += run_command(instance, "repair", MODEL, "--file", str(corrected))
        actual = digests(instance.lake, MODEL)
    write_landing(undisturbed.landing, made + timedelta(days=1), DAYS - DAYS // 2 - 1)
    report.wrong += run_command(undisturbed, "repair", MODEL, "--file", str(corrected))
    _make(undisturbed, first, last)
    report.wrong += differences(digests(undisturbed.lake, MODEL), actual)
    return report


def set_clock_back_between_ticks(root: Path) -> Report:
    """Let the sensor see a day, set the clock back by two minutes, and land another day, which it must see too.

    Dagster begins the next tick when the clock has passed the last one.
    """
    report = Report("clock set back by two minutes between ticks")
    first, second = _days(2)
    with LocalInstance(root, [attributes(WATCHING)]) as instance:
        write_landing(instance.landing, first, 1)
        instance.start_webserver()
        instance.start_daemon()
        instance.wait("the first day", lambda: _has_day(instance, first) and _all_ended(instance), LONGEST)
        instance.stop("daemon")
        clock = fake_clock_environment(timedelta(minutes=-2))
        if clock is None:
            report.messages.append("left out: libfaketime does not work on this machine")
            return report
        instance.environment |= clock
        write_landing(instance.landing, second, 1)
        instance.start_daemon()
        try:
            instance.wait("the second day", lambda: _has_day(instance, second), LONGEST)
        except AssertionError as error:
            report.wrong.append(str(error)[:500])
        instance.wait("the end of all runs", lambda: _all_ended(instance), LONGEST)
        report.messages.append(f"runs: {_statuses(instance)}")
        if [run["status"] for run in instance.runs()] != ["SUCCESS", "SUCCESS"]:
            report.wrong.append(f"not two runs that succeeded, but {_statuses(instance)}")
    return report


def attributes(changes: Mapping[str, object]) -> dict:
    """Return the attributes of the shipped model, with changes."""
    return {**read_simulated_spec().model_dump(mode="json", by_alias=True, exclude_unset=True), **changes}


def first_day() -> date:
    """Return the first day of the shipped model."""
    return FIRST_DAY


def _days(number: int) -> tuple[date, date]:
    """Return the first and the last of the newest days that are over at any hour; the sensor looks at new days only."""
    last = datetime.now(UTC).date() - timedelta(days=2)
    return last - timedelta(days=number - 1), last


def _ended(instance: LocalInstance, backfill: str) -> str | None:
    status = instance.backfill_status(backfill)
    return None if status in ("REQUESTED", "CANCELING", "FAILING") or not _all_ended(instance) else status


def _all_ended(instance: LocalInstance) -> bool:
    return all(run["status"] in ("SUCCESS", "FAILURE", "CANCELED") for run in instance.runs())


def _statuses(instance: LocalInstance) -> str:
    return ", ".join(sorted(run["status"] for run in instance.runs()))


def _sensor_runs(instance: LocalInstance) -> list[dict]:
    return [run for run in instance.runs() if "dagster/sensor_name" in run["tags"]]


def _has_day(instance: LocalInstance, day: date) -> bool:
    return (instance.lake / MODEL / "features").exists() and ("features", day) in digests(instance.lake, MODEL)


def _make(instance: LocalInstance, first: date, last: date) -> None:
    """Make days from raw data to features in a process of their own, without daemon and webserver."""
    names = ("raw_data", "validated_data", "quarantined_data", "features")
    subprocess.run(
        [
            sys.executable, "-W", "ignore", "-m", "dagster", "asset", "materialize", "-m", "ml_assets.definitions",
            "--select", " or ".join(f'key:"{MODEL}/{name}"' for name in names),
            "--partition-range", f"{first}...{last}",
        ],
        env=instance.environment, cwd=DEFS.parents[1], check=True, capture_output=True,
    )  # fmt: skip


def run_command(instance: LocalInstance, *arguments: str) -> list[str]:
    """Run a verb of ml-assets; return what it says if it fails."""
    process = subprocess.run(
        [sys.executable, "-m", "ml_assets.cli", *arguments],
        env=instance.environment, cwd=DEFS.parents[1], capture_output=True, text=True,
    )  # fmt: skip
    return [f"{arguments[0]} failed: {process.stdout[-500:]}{process.stderr[-500:]}"] if process.returncode else []


def _correct(instance: LocalInstance, root: Path) -> Path:
    """Export the rows with a negative amount, and return a file with a right one."""
    exported, corrected = root / "quarantine.csv", root / "corrected.csv"
    assert not run_command(instance, "quarantine", MODEL, "--out", str(exported))
    rows = pd.read_csv(exported, dtype=str, keep_default_na=False)
    rows[rows["_reasons"] == "amount: less than minimum 0"].assign(amount="12.5").to_csv(corrected, index=False)
    return corrected


def _copy(instance: LocalInstance, root: Path) -> LocalInstance:
    """Copy landing and lake of an instance to a new one."""
    copied = LocalInstance(root.with_name(f"{root.name}-undisturbed"), [attributes(QUIET)])
    for folder in ("landing", "lake"):
        shutil.copytree(instance.root / folder, copied.root / folder)
    return copied


def differences(wanted: Mapping[tuple[str, date], str], actual: Mapping[tuple[str, date], str]) -> list[str]:
    """Describe each day of a table that differs from an undisturbed lake in a line."""
    return [
        f"rows of {table} of {day}: {wanted.get((table, day), 'none')[:12]} undisturbed, "
        f"{actual.get((table, day), 'none')[:12]} here"
        for table, day in sorted(wanted.keys() | actual.keys())
        if wanted.get((table, day)) != actual.get((table, day))
    ]
