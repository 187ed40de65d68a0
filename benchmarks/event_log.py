"""A backfill on each of the event logs that a local instance can have, several times in turn.

    python benchmarks/event_log.py [--days 60] [--rounds 3] [--event-logs pooled consolidated default]

Every run stores events in batches (DAGSTER_EVENT_BATCH_SIZE=400) and makes raw files into features on an empty instance
and an empty lake. Processor time is printed beside wall time, because it depends less on what else the machine does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import yaml
from backfill import INSTANCE, pipeline, specification

CONSOLIDATED = {
    "module": "dagster._core.storage.event_log",
    "class": "ConsolidatedSqliteEventLogStorage",
    "config": {"base_dir": {"env": "DAGSTER_HOME"}},
}
EVENT_LOGS = {
    "pooled": {
        "module": "ml_assets.resources.dagster_internals.event_log",
        "class": "PooledSqliteEventLogStorage",
        "config": {},
    },
    "consolidated": CONSOLIDATED,
    "default": None,
}


def measure(landing: Path, event_log: str, days: int) -> tuple[float, float]:
    """Return wall and processor seconds of one backfill in a process of its own."""
    settings = yaml.safe_load(INSTANCE.read_text())
    settings.pop("event_log_storage", None)
    if EVENT_LOGS[event_log] is not None:
        settings["event_log_storage"] = EVENT_LOGS[event_log]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "landing").symlink_to(landing)
        (root / "instance.yaml").write_text(yaml.safe_dump(settings))
        command = [sys.executable, "-W", "ignore", __file__, "--days", str(days), "--root", str(root)]
        environment = {**os.environ, "DAGSTER_HOME": str(root / "dagster"), "DAGSTER_EVENT_BATCH_SIZE": "400"}
        start = time.perf_counter()
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        return time.perf_counter() - start, json.loads(output.splitlines()[-1])


def main() -> None:
    """Print the seconds of every run, then the medians."""
    from ml_assets.cli.commands.simulate import write_landing

    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--event-logs", nargs="+", choices=EVENT_LOGS, default=["pooled", "consolidated"])
    parser.add_argument("--root", type=Path)
    options = parser.parse_args()
    if options.root:
        pipeline(options.root, options.days, options.root / "instance.yaml")
        print(time.process_time())
        return
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in options.event_logs}
    with tempfile.TemporaryDirectory() as folder:
        write_landing(Path(folder), specification().source.start, options.days)
        for number in range(options.rounds):
            for name in options.event_logs if number % 2 == 0 else reversed(options.event_logs):
                seconds[name].append(measure(Path(folder), name, options.days))
                wall, processor = seconds[name][-1]
                print(
                    f"{name:<13} {wall:6.1f} s, processor {processor:6.1f} s, load {os.getloadavg()[0]:.1f}", flush=True
                )
    for name, runs in seconds.items():
        wall, processor = (median(values) for values in zip(*runs, strict=True))
        print(f"{name:<13} median {wall:6.1f} s, processor {processor:6.1f} s")


if __name__ == "__main__":
    main()
