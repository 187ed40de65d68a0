"""A backfill as users run it: launched over GraphQL and run by a real daemon, with four faulty days among good ones.

The floor is a bare loop over the same functions and files. Waiting times are reported separately: for the daemon to
pick up the backfill, for the queue and the process of the run, and for the daemon to notice its end.
"""

import random
import time
from datetime import date
from pathlib import Path

from benchmarks.harness.context import START, Context, day
from benchmarks.harness.process import measure, python
from benchmarks.harness.project import read_shipped_model
from benchmarks.harness.results import FLOOR, OURS, Result
from ml_assets.cli.demo.landing import write_landing
from ml_assets_tests.support.lake_content import digests
from ml_assets_tests.support.local_instance import LocalInstance

MODEL = "fraud_detection"
FIRST_ITERATION = (10, 40)
"""Seconds after the start of the daemon between which the backfill is launched. In a long-running instance its first
iteration, which would find the backfill at once, is over, and the next comes at any time."""


def land_faulty_days(landing: Path, days: int) -> list[date]:
    """Replace four of the landed files: broken rules, cut off, without a column, missing. Return these days."""
    import pandas as pd

    faulty = broken, cut_off, column, missing = tuple(day(1 + days * part // 10) for part in (2, 4, 6, 8))
    files = {which: landing / MODEL / str(which) / "transactions.parquet" for which in faulty}
    rows = pd.read_parquet(files[broken])
    rows.loc[rows.index % 5 < 3, "amount"] = -1.0
    rows.to_parquet(files[broken], index=False)
    files[cut_off].write_bytes(files[cut_off].read_bytes()[:5000])
    pd.read_parquet(files[column]).drop(columns="amount").to_csv(files[column].with_suffix(".csv"), index=False)
    files[column].unlink()
    files[missing].unlink()
    return list(faulty)


def run_backfill(instance: LocalInstance, days: int) -> dict[str, float]:
    """Launch a backfill of all days; return the seconds from the launch until each of its stages."""
    instance.start_webserver()
    instance.start_daemon()
    instance.wait("the daemon", lambda: "BackfillDaemon" in (instance.root / "daemon.log").read_text(), 90)
    time.sleep(random.uniform(*FIRST_ITERATION))
    launched = time.time()
    backfill = instance.backfill(MODEL, day(1), day(days))
    status = instance.wait("the end of the backfill", lambda: _final_status(instance, backfill), 1800, every=1.0)
    completed = time.time() - launched
    assert status == "COMPLETED_SUCCESS", status
    (run,) = instance.runs()
    seconds = {name: run[f"{name}Time"] - launched for name in ("creation", "start", "end")}
    return {**seconds, "completed": completed}


def measure_daemon(context: Context) -> list[Result]:
    """Measure a backfill through webserver and daemon against the bare loop, and check which days it published.

    Raises:
        AssertionError: when other days than the faulty ones are missing from the lake.
    """
    days, folder = context.sizes.daemon_days, context.folder("daemon")
    for name in ("clean", "faulty"):
        write_landing(folder / name, START, days)
    faulty = land_faulty_days(folder / "faulty", days)
    model = read_shipped_model(START) | {"sensor": {"enabled": False}, "schedule": {"enabled": False}}
    with LocalInstance(folder / "instance", [model]) as instance:
        instance.landing.symlink_to(folder / "faulty")
        seconds = run_backfill(instance, days)
        published = {which for table, which in digests(instance.lake, MODEL) if table == "validated_data"}
    assert published | set(faulty) == {day(number) for number in range(1, days + 1)}
    assert not published & set(faulty)
    floor = [measure(python("-m", "benchmarks.peers.bare_loop", folder / "clean", START, days)).wall]
    title = f"backfill of {days} days through the daemon"
    stages = {
        "launch to run created (the daemon looks at backfills)": seconds["creation"],
        "launch to run started (queue, plan, process)": seconds["start"],
        "launch to end of backfill": seconds["completed"],
        "the run itself": seconds["end"] - seconds["start"],
    }
    return [
        Result("daemon", f"{title}: {name}", {OURS: [value], FLOOR: floor}, FLOOR) for name, value in stages.items()
    ]


def _final_status(instance: LocalInstance, backfill: str) -> str | None:
    status = instance.backfill_status(backfill)
    return None if status in ("REQUESTED", "CANCELING") else status
