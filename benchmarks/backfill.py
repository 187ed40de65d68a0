"""Benchmark of raw files to features for many days: a range run of Dagster against a bare loop over the core functions.

    python benchmarks/backfill.py [--days N]

The floor reads, validates and builds features in memory and writes nothing. The ratio is the cost of the lake, the
fingerprints and Dagster's events. Both are measured within the same minute.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SPEC = REPOSITORY / "ml_assets" / "defs" / "fraud_detection" / "defs.yaml"
INSTANCE = REPOSITORY / "dagster.yaml"


def specification():
    """Return the example's specification with a start long ago, since future days are no partitions."""
    from ml_assets.core.model_spec.defs_yaml.reader import read_spec

    spec = read_spec(SPEC)
    return spec.model_copy(update={"source": spec.source.model_copy(update={"start": date(2024, 1, 1)})})


def floor(root: Path, days: int) -> None:
    """Run the bare loop: no lake, no fingerprints, no orchestrator."""
    import pandas as pd
    import pyarrow as pa

    from ml_assets.core.features.point_in_time import build_features, columns_read, days_read
    from ml_assets.core.ingestion.file_reader import read_landed_file
    from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA, to_pandas
    from ml_assets.core.validation.validate_day import validate_day

    spec = specification()
    offsets, frames = days_read(spec), {}
    for day in (spec.source.start + timedelta(days=n) for n in range(days)):
        path = root / "landing" / "fraud_detection" / str(day) / "transactions.parquet"
        content = path.read_bytes()
        raw = read_landed_file(spec, path.name, content).rows
        assert raw is not None
        objects = [{"key": path.name, "digest": "", "size": len(content), "rows": raw.num_rows, "fault": None}]
        accepted = validate_day(spec, day, raw, pa.Table.from_pylist(objects, schema=LANDED_OBJECTS_SCHEMA)).accepted
        frames[day] = to_pandas(accepted.select(columns_read(spec)))
        history = [
            frames[day - timedelta(days=offset)]
            for offset in reversed(offsets)
            if offset and day - timedelta(days=offset) in frames
        ]
        build_features(spec, frames[day], pd.concat(history, ignore_index=True) if history else frames[day].iloc[:0])
        frames.pop(day - timedelta(days=offsets[-1]), None)


def pipeline(root: Path, days: int, instance_file: Path = INSTANCE) -> None:
    """Make the same days through Dagster: one run over the range, on a new instance configured by `instance_file`."""
    import dagster as dg

    from ml_assets.defs.environment import build_environment
    from ml_assets.defs.settings import Settings
    from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, asset_key
    from ml_assets.pipeline.graph.assets import build_assets

    spec = specification()
    home = root / "dagster"
    home.mkdir()
    (home / "dagster.yaml").symlink_to(instance_file)
    last = spec.source.start + timedelta(days=days - 1)
    settings = Settings(
        "local",
        str(root / "landing"),
        str(root / "lake"),
        f"sqlite:///{root / 'mlflow.db'}",
        str(home),
        str(root / "production"),
        {},
    )
    with dg.DagsterInstance.from_config(str(home)) as instance:
        result = dg.materialize(
            build_assets(spec),
            selection=[asset_key(spec, name) for name in LANDED_TO_FEATURES],
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": str(spec.source.start),
                "dagster/asset_partition_range_end": str(last),
            },
            resources=build_environment(settings).resources,
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
        )
    assert result.success


def measure(task: str, root: Path, days: int) -> dict[str, float]:
    """Return wall seconds and peak memory (MB) of `floor` or `pipeline`, run in its own process."""
    command = [sys.executable, "-W", "ignore", __file__, "--days", str(days), "--only", task, "--root", str(root)]
    begun = time.perf_counter()
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {"seconds": time.perf_counter() - begun, "memory_mb": json.loads(output.splitlines()[-1])}


def main() -> None:
    """Measure floor, pipeline and floor again, and print the ratio."""
    import resource

    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--only", choices=["floor", "pipeline"])
    parser.add_argument("--root", type=Path)
    arguments = parser.parse_args()
    if arguments.only:
        {"floor": floor, "pipeline": pipeline}[arguments.only](arguments.root, arguments.days)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    from ml_assets.cli.commands.simulate import write_landing

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_landing(root / "landing", specification().source.start, arguments.days)
        before, through, after = (measure(task, root, arguments.days) for task in ("floor", "pipeline", "floor"))
    bare = (before["seconds"] + after["seconds"]) / 2
    print(f"{arguments.days} days, raw files to features, process start and imports included")
    print(f"bare loop   {before['seconds']:.1f} and {after['seconds']:.1f} s, {before['memory_mb']:.0f} MB")
    print(f"pipeline    {through['seconds']:.1f} s, {through['memory_mb']:.0f} MB")
    print(f"ratio       {through['seconds'] / bare:.2f}")


if __name__ == "__main__":
    main()
