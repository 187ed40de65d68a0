"""Benchmark of a backfill as users run it: launched over GraphQL and run by a real daemon, with four faulty days and
optional kills.

    python benchmarks/backfill_through_daemon.py [--days 400] [--kills 0] [--compare-memory]

The floor is a bare loop over the same functions and files in the same minutes. Waiting times are reported separately:
for the daemon to pick up the backfill, for the queue, for the process of the run, and for the daemon to notice its end.
"""

import argparse
import os
import random
import signal
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import yaml
from backfill import SPEC, measure, specification

from ml_assets.cli.commands.simulate import write_landing
from ml_assets_tests.support.lake_content import digests
from ml_assets_tests.support.local_instance import LocalInstance


def land(landing: Path, start: date, days: int) -> list[date]:
    """Write simulated files, of which four days are faulty; return these days."""
    import pandas as pd

    write_landing(landing, start, days)
    broken, torn, column, missing = (start + timedelta(days=days * part // 10) for part in (2, 4, 6, 8))
    files = {
        day: landing / "fraud_detection" / str(day) / "transactions.parquet" for day in (broken, torn, column, missing)
    }
    rows = pd.read_parquet(files[broken])
    rows.loc[rows.index % 5 < 3, "amount"] = -1.0
    rows.to_parquet(files[broken], index=False)
    files[torn].write_bytes(files[torn].read_bytes()[:5000])
    pd.read_parquet(files[column]).drop(columns="amount").to_csv(files[column].with_suffix(".csv"), index=False)
    files[column].unlink()
    files[missing].unlink()
    return [broken, torn, column, missing]


class Backfill:
    """One backfill of all days on its own instance, with its times and peak memory."""

    def __init__(self, root: Path, days: int, landing: Path):
        attributes = yaml.safe_load(SPEC.read_text())["attributes"]
        self.first = specification().source.start
        attributes["source"]["start"] = self.first
        # Only the backfill may run.
        attributes |= {"sensor": {"enabled": False}, "schedule": {"enabled": False}}
        self.instance, self.days, self.memory_mb = LocalInstance(root, [attributes]), days, 0.0
        self.process: int | None = None
        self.instance.landing.symlink_to(landing)

    def run(self, kills: int = 0) -> dict[str, float]:
        """Launch the backfill, and again after each kill of its run; return times in seconds since the last launch."""
        last = self.first + timedelta(days=self.days - 1)
        with self.instance as instance:
            instance.start_webserver()
            instance.start_daemon()
            # As in a long-running instance, the first iteration of the daemon, which would find the backfill at once,
            # is over, and the next comes at any time.
            instance.wait("the daemon", lambda: "BackfillDaemon" in (instance.root / "daemon.log").read_text(), 90)
            time.sleep(random.uniform(10, 40))
            for number in range(kills):
                instance.backfill("fraud_detection", self.first, last)
                self._kill(number)
            launched = time.time()
            backfill = instance.backfill("fraud_detection", self.first, last)
            run = self._watch(number=kills, ended=True)
            status = instance.wait("the end of the backfill", lambda: self._finished(backfill), 120)
            completed = time.time()
            assert status == "COMPLETED_SUCCESS", status
            times = {name: run[f"{name}Time"] - launched for name in ("creation", "start", "end")}
            return {**times, "completed": completed - launched, "memory_mb": self.memory_mb}

    def _finished(self, backfill: str) -> str | None:
        status = self.instance.backfill_status(backfill)
        return None if status in ("REQUESTED", "CANCELING") else status

    def _watch(self, number: int, ended: bool) -> dict:
        """Wait until the run with a number has begun, or has ended, and record the peak memory of its process."""

        def find_run() -> dict | None:
            runs = self.instance.runs()
            if len(runs) <= number:
                return None
            self.process = self.process or self.instance.process_of(runs[0]["runId"])
            if self.process is not None and (status := Path(f"/proc/{self.process}/status")).exists():
                peak = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM")), "x 0")
                self.memory_mb = max(self.memory_mb, int(peak.split()[1]) / 1024)
            wanted = ("SUCCESS", "FAILURE") if ended else ("STARTED",)
            return runs[0] if runs[0]["status"] in wanted else None

        run = self.instance.wait(f"run {number}", find_run, 1200, every=1.0)
        assert not ended or run["status"] == "SUCCESS", self.instance.events(run["runId"])[-5:]
        return run

    def _kill(self, number: int) -> None:
        self._watch(number, ended=False)
        time.sleep(random.uniform(1, 25))
        assert self.process is not None
        os.kill(self.process, signal.SIGKILL)
        self.process = None
        assert self.instance.wait("the failure", lambda: self.instance.runs()[0]["status"] == "FAILURE", 60)
        counts = {name: len(days) for name, days in self.tables().items()}
        print(f"run {number + 1} killed; days in the lake: {counts}", flush=True)

    def tables(self) -> dict[str, list[date]]:
        """Return the days with rows of each table."""
        days_by_table: dict[str, list[date]] = {}
        for table, day in digests(self.instance.lake, "fraud_detection"):
            days_by_table.setdefault(table, []).append(day)
        return days_by_table


def named_in_check(home: Path) -> tuple[int, list[str]]:
    """Return the number of faulty days in the newest result of every_day_accepted, and the days that it names with
    reasons.
    """
    import dagster as dg

    key = dg.AssetCheckKey(dg.AssetKey(["fraud_detection", "validated_data"]), "every_day_accepted")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    assert record.event.dagster_event is not None
    metadata = record.event.dagster_event.asset_check_evaluation_data.metadata
    lines = [line.data for line in metadata["faults"].records]
    return metadata["days_not_accepted"].value, [
        f"{line['day']}: {line['reason']}" for line in lines if line["scope"] == "day"
    ]


def main() -> None:
    """Measure floor, backfill and floor; check the tables; optionally run a smaller and an interrupted backfill."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument(
        "--kills",
        type=int,
        default=0,
        help="also make all days on another lake with this many kills of the run, and compare",
    )
    parser.add_argument("--compare-memory", action="store_true", help="also make a tenth of the days")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        first = specification().source.start
        faulty = land(root / "landing", first, arguments.days)
        clean = root / "clean"
        write_landing(clean / "landing", first, arguments.days)
        before = measure("floor", clean, arguments.days)["seconds"]
        backfill = Backfill(root / "undisturbed", arguments.days, root / "landing")
        times = backfill.run()
        after = measure("floor", clean, arguments.days)["seconds"]
        bare = (before + after) / 2
        print(f"{arguments.days} days through webserver and daemon, load {os.getloadavg()[0]:.1f}")
        print(f"bare loop                    {before:.1f} and {after:.1f} s")
        print(f"launch to run created        {times['creation']:.1f} s (until the daemon looks at backfills)")
        print(f"launch to run started        {times['start']:.1f} s (queue, events of the plan, process)")
        print(f"launch to end of the run     {times['end']:.1f} s, ratio {times['end'] / bare:.2f}")
        print(f"launch to end of backfill    {times['completed']:.1f} s, ratio {times['completed'] / bare:.2f}")
        print(
            f"the run itself               {times['end'] - times['start']:.1f} s, ratio "
            f"{(times['end'] - times['start']) / bare:.2f}"
        )
        print(f"peak memory of the run       {times['memory_mb']:.0f} MB")
        published = backfill.tables()["validated_data"]
        count, named = named_in_check(backfill.instance.home)
        print(f"{len(published)} days published, {count} named in the check:", *named, sep="\n", flush=True)
        assert sorted(set(published) | set(faulty)) == [
            first + timedelta(days=number) for number in range(arguments.days)
        ]
        assert count == len(faulty) == arguments.days - len(published)
        assert [line[:10] for line in named] == [str(day) for day in faulty]
        if arguments.compare_memory:
            small = Backfill(root / "small", arguments.days // 10, root / "landing")
            print(
                f"peak memory of the run of {arguments.days // 10} days: {small.run()['memory_mb']:.0f} MB", flush=True
            )
        if arguments.kills:
            disturbed = Backfill(root / "disturbed", arguments.days, root / "landing")
            disturbed.run(arguments.kills)
            expected, actual = (digests(run.instance.lake, "fraud_detection") for run in (backfill, disturbed))
            verdict = "the same" if expected == actual else "DIFFERENT"
            print(f"{arguments.kills} kills: {len(expected)} digests of days, {verdict}")
            assert expected == actual


if __name__ == "__main__":
    main()
