"""Raw files to features as people backfill: launched over GraphQL, made by a real daemon, with three bad days and a
missing one, killed if asked.

    python benchmarks/backfill_through_daemon.py [--days 400] [--kills 0] [--compare-memory]

The floor is a bare loop over the same functions and files in the same minutes. What waiting takes is told apart: for
the daemon to look at backfills, for the queue, for the process of the run, and for the daemon to find that the run has
ended.
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
    """Simulated files, of which four days are not as they should be; returns these days."""
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
    """One backfill of all days on an instance of its own, and what was seen of it."""

    def __init__(self, root: Path, days: int, landing: Path):
        attributes = yaml.safe_load(SPEC.read_text())["attributes"]
        self.first = specification().source.start
        attributes["source"]["start"] = self.first
        # Nothing but the backfill is to run meanwhile.
        attributes |= {"sensor": {"enabled": False}, "schedule": {"enabled": False}}
        self.instance, self.days, self.memory_mb = LocalInstance(root, [attributes]), days, 0.0
        self.process: int | None = None
        self.instance.landing.symlink_to(landing)

    def run(self, kills: int = 0) -> dict[str, float]:
        """Launch it and wait for its end; after each kill of its run launch it again. Seconds since the launch."""
        last = self.first + timedelta(days=self.days - 1)
        with self.instance as instance:
            instance.start_webserver()
            instance.start_daemon()
            # As in a lasting instance: the daemon's first look, which would find the backfill at once, is over, and the
            # next is at any time.
            instance.wait("the daemon", lambda: "BackfillDaemon" in (instance.root / "daemon.log").read_text(), 90)
            time.sleep(random.uniform(10, 40))
            for number in range(kills):
                instance.backfill("fraud_detection", self.first, last)
                self._kill(number)
            launched = time.time()
            backfill = instance.backfill("fraud_detection", self.first, last)
            run = self._watch(number=kills, ended=True)
            status = instance.wait("the end of the backfill", lambda: self._finished(backfill), 120)
            noticed = time.time()
            assert status == "COMPLETED_SUCCESS", status
            times = {name: run[f"{name}Time"] - launched for name in ("creation", "start", "end")}
            return {**times, "completed": noticed - launched, "memory_mb": self.memory_mb}

    def _finished(self, backfill: str) -> str | None:
        status = self.instance.backfill_status(backfill)
        return None if status in ("REQUESTED", "CANCELING") else status

    def _watch(self, number: int, ended: bool) -> dict:
        """Wait until the run with a number has begun, or has ended, and note the most memory that its process took."""

        def seen() -> dict | None:
            runs = self.instance.runs()
            if len(runs) <= number:
                return None
            self.process = self.process or self.instance.process_of(runs[0]["runId"])
            if self.process is not None and (status := Path(f"/proc/{self.process}/status")).exists():
                peak = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM")), "x 0")
                self.memory_mb = max(self.memory_mb, int(peak.split()[1]) / 1024)
            wanted = ("SUCCESS", "FAILURE") if ended else ("STARTED",)
            return runs[0] if runs[0]["status"] in wanted else None

        run = self.instance.wait(f"run {number}", seen, 1200, every=1.0)
        assert not ended or run["status"] == "SUCCESS", self.instance.events(run["runId"])[-5:]
        return run

    def _kill(self, number: int) -> None:
        self._watch(number, ended=False)
        time.sleep(random.uniform(1, 25))
        assert self.process is not None
        os.kill(self.process, signal.SIGKILL)
        self.process = None
        found = self.instance.wait("the failure", lambda: self.instance.runs()[0]["status"] == "FAILURE", 60)
        assert found
        counts = {name: len(days) for name, days in self.tables().items()}
        print(f"run {number + 1} killed; days in the lake: {counts}", flush=True)

    def tables(self) -> dict[str, list[date]]:
        """The days with rows of each table."""
        found: dict[str, list[date]] = {}
        for table, day in digests(self.instance.lake, "fraud_detection"):
            found.setdefault(table, []).append(day)
        return found


def named_in_check(home: Path) -> tuple[int, list[str]]:
    """How many days the newest result of every_day_accepted counts as faulty, and the days that it names with the
    reason.
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
    """Floor, backfill, floor; then the tables and the check, a smaller backfill for its memory, and a disturbed one if
    asked.
    """
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--days", type=int, default=400)
    arguments.add_argument(
        "--kills",
        type=int,
        default=0,
        help="also make all days on another lake with this many kills of the run, and compare",
    )
    arguments.add_argument("--compare-memory", action="store_true", help="also make a tenth of the days")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        first = specification().source.start
        faulty = land(root / "landing", first, asked.days)
        clean = root / "clean"
        write_landing(clean / "landing", first, asked.days)
        before = measure("floor", clean, asked.days)["seconds"]
        backfill = Backfill(root / "undisturbed", asked.days, root / "landing")
        seen = backfill.run()
        after = measure("floor", clean, asked.days)["seconds"]
        bare = (before + after) / 2
        print(f"{asked.days} days through webserver and daemon, load {os.getloadavg()[0]:.1f}")
        print(f"bare loop                    {before:.1f} and {after:.1f} s")
        print(f"launch to run created        {seen['creation']:.1f} s (until the daemon looks at backfills)")
        print(f"launch to run started        {seen['start']:.1f} s (queue, events of the plan, process)")
        print(f"launch to end of the run     {seen['end']:.1f} s, ratio {seen['end'] / bare:.2f}")
        print(f"launch to end of backfill    {seen['completed']:.1f} s, ratio {seen['completed'] / bare:.2f}")
        print(
            f"the run itself               {seen['end'] - seen['start']:.1f} s, ratio "
            f"{(seen['end'] - seen['start']) / bare:.2f}"
        )
        print(f"peak memory of the run       {seen['memory_mb']:.0f} MB")
        published = backfill.tables()["validated_data"]
        count, named = named_in_check(backfill.instance.home)
        print(f"{len(published)} days published, {count} named in the check:", *named, sep="\n", flush=True)
        assert sorted(set(published) | set(faulty)) == [first + timedelta(days=number) for number in range(asked.days)]
        assert count == len(faulty) == asked.days - len(published)
        assert [line[:10] for line in named] == [str(day) for day in faulty]
        if asked.compare_memory:
            small = Backfill(root / "small", asked.days // 10, root / "landing")
            print(f"peak memory of the run of {asked.days // 10} days: {small.run()['memory_mb']:.0f} MB", flush=True)
        if asked.kills:
            disturbed = Backfill(root / "disturbed", asked.days, root / "landing")
            disturbed.run(asked.kills)
            one, other = (digests(of.instance.lake, "fraud_detection") for of in (backfill, disturbed))
            print(f"{asked.kills} kills: {len(one)} digests of days, {'the same' if one == other else 'DIFFERENT'}")
            assert one == other


if __name__ == "__main__":
    main()
