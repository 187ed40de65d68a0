"""Raw files to features of the shipped model, as a bare loop over the core functions.

    python -m benchmarks.peers.bare_loop LANDING FIRST DAYS

It reads, validates and builds features in memory and writes nothing, so what the pipeline takes beyond it is the cost
of the lake, the fingerprints and Dagster's events.
"""

import sys
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa

from ml_assets.cli.demo.simulated_days import read_simulated_spec
from ml_assets.core.features.inputs import columns_read, days_read
from ml_assets.core.features.point_in_time import build_features
from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA, to_pandas
from ml_assets.core.validation.validate_day import validate_day


def build_all(landing: Path, first: date, days: int) -> None:
    """Build the features of consecutive days."""
    spec = read_simulated_spec(first)
    offsets, frames = days_read(spec), {}
    for day in (first + timedelta(days=number) for number in range(days)):
        path = landing / spec.name / str(day) / "transactions.parquet"
        content = path.read_bytes()
        raw = read_landed_file(spec, path.name, content).rows
        assert raw is not None
        landed = [{"key": path.name, "digest": "", "size": len(content), "rows": raw.num_rows, "fault": None}]
        accepted = validate_day(spec, day, raw, pa.Table.from_pylist(landed, schema=LANDED_OBJECTS_SCHEMA)).accepted
        frames[day] = to_pandas(accepted.select(columns_read(spec)))
        earlier = [day - timedelta(days=offset) for offset in reversed(offsets) if offset]
        history = [frames[before] for before in earlier if before in frames]
        build_features(spec, frames[day], pd.concat(history, ignore_index=True) if history else frames[day].iloc[:0])
        frames.pop(day - timedelta(days=offsets[-1]), None)


if __name__ == "__main__":
    build_all(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), int(sys.argv[3]))
