"""Faults of the commands of `ml-assets`: interrupted ones, and several at once on a home that does not exist yet."""

import random
import signal
import subprocess
import sys
from pathlib import Path

from ml_assets.cli.demo.landing import write_landing
from ml_assets.definitions import DEFS
from ml_assets.pipeline.asset_names import ENTRY
from ml_assets_tests.chaos.instance_faults import LONGEST, MODEL, attributes, differences, first_day, run_command
from ml_assets_tests.chaos.kills import Report
from ml_assets_tests.support.lake_content import digests
from ml_assets_tests.support.local_instance import LocalInstance

STATUSES = {signal.SIGTERM: 143, signal.SIGINT: 130}
AT_ONCE = 8


def run_demo(root: Path) -> LocalInstance:
    """Make the places of an instance, and run `ml-assets run` for the shipped model.

    Raises:
        RuntimeError: when it fails.
    """
    demo = LocalInstance(root, [attributes({})])
    if problems := run_command(demo, "run", MODEL):
        raise RuntimeError("\n".join(problems))
    return demo


def interrupt_runs(root: Path, demo: LocalInstance, draw: random.Random) -> Report:
    """Interrupt `ml-assets run` at random moments, as operators and schedulers do, and let the last one finish.

    Args:
        root: a new folder.
        demo: the result of `run_demo`.
        draw: draws the moments.
    """
    report = Report("ml-assets run interrupted")
    interrupted = LocalInstance(root, [attributes({})])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        process = start_command(interrupted, "run", MODEL)
        try:
            printed, _ = process.communicate(timeout=draw.uniform(2, 20))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            report.kills.append(number.name)
            printed, _ = process.communicate(timeout=LONGEST)
        report.messages.append(f"{number.name}: {printed.strip().splitlines()[-1][:300] if printed.strip() else ''}")
        if process.returncode not in (0, STATUSES[number]) or "Traceback" in printed:
            report.wrong.append(f"{number.name}: status {process.returncode}: {printed[-800:]}")
    report.wrong += run_command(interrupted, "run", MODEL)
    # Entries of the registry name their MLflow runs.
    wanted, actual = (
        {(table, day): rows for (table, day), rows in digests(lake, MODEL).items() if table != ENTRY}
        for lake in (demo.lake, interrupted.lake)
    )
    report.wrong += differences(wanted, actual)
    return report


def begin_at_once(root: Path) -> Report:
    """Start eight commands at once, with databases, a lake and an MLflow store that do not exist yet."""
    report, instance = Report(f"{AT_ONCE} first commands at once"), LocalInstance(root, [attributes({})])
    write_landing(instance.landing, first_day(), 2)
    verbs = [("releases", MODEL), ("plan", MODEL), ("notifications",), ("doctor",)] * (AT_ONCE // 4)
    processes = [start_command(instance, *verb) for verb in verbs]
    for verb, process in zip(verbs, processes, strict=True):
        printed, _ = process.communicate(timeout=LONGEST)
        if process.returncode or "Traceback" in printed:
            report.wrong.append(f"{verb[0]}: status {process.returncode}: {printed[-800:]}")
    report.wrong += run_command(instance, "doctor")
    return report


def start_command(instance: LocalInstance, *arguments: str) -> subprocess.Popen[str]:
    """Start a verb of ml-assets with the places of an instance; it can be interrupted even in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "ml_assets.cli", *arguments],
        env=instance.environment, cwd=DEFS.parents[1], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
