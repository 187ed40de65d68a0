"""Validation of a day of a million rows of ten columns, against the same rules as bare comparisons of numpy and Arrow.

Each figure is from a process of its own, the best of five, in processor time: nothing here runs in parallel, so on a
core of its own that is the time that passes. The floor finds the rows that break a rule and puts the others in order of
time and key; it says neither why nor which. Memory is the peak of a process that validates two days one after the
other, against that of one that validates one day.
"""

import json
import resource
import sys
import time
from datetime import date
from pathlib import Path

from benchmarks.harness.context import Context
from benchmarks.harness.process import report_of
from benchmarks.harness.results import FLOOR, OURS, Result

DAY, REPEATS = date(2025, 1, 2), 5
FOODS = ["food", "fuel", "travel", "online_shop"]
KINDS = ("clean", "bad")


def specification():
    """Return a specification of ten columns, each with a rule."""
    from ml_assets.core.model_spec import ModelSpec

    number = {"type": "number", "minimum": 0, "maximum": 1000}
    return ModelSpec.model_validate(
        {
            "name": "bench",
            "source": {"files": "{day}/*", "start": DAY},
            "columns": {
                "id": {"type": "integer", "minimum": 0},
                "event_time": {"type": "timestamp"},
                "card": {"type": "string"},
                "category": {"type": "string", "pattern": "[a-z_]+"},
                "count": {"type": "integer", "minimum": 0},
                "label": {"type": "integer", "allowed": [0, 1]},
                **{name: number for name in ("amount", "balance", "limit", "distance")},
            },
            "row_key": ["id"],
            "event_time": "event_time",
            "target": "label",
            "label_delay": "2d",
            "features": [{"kind": "column", "columns": ["amount"]}],
            "training": {"window": "4d", "validation": "1d"},
            "evaluation": {"holdout": "2d"},
            "gates": {"roc_auc": {"minimum": 0.5}},
        }
    )


def write_day(path: Path, rows: int, kind: str, seed: int) -> None:
    """A day in no order; of `bad`, 5 % of the rows break one of five rules in turn, one of them with a value that could
    not be read.
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW, UNREADABLE, raw_schema

    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": random.permutation(rows),
            "event_time": pd.Timestamp(DAY, tz="UTC")
            + pd.to_timedelta(random.integers(0, 86_400 * 10**6, rows), unit="us"),
            "card": np.array([f"card-{number}" for number in range(5000)], dtype=object)[
                random.integers(0, 5000, rows)
            ],
            "category": np.array(FOODS, dtype=object)[random.integers(0, len(FOODS), rows)],
            "count": random.integers(0, 10_000, rows),
            "label": (random.random(rows) < 0.01).astype(int),
            **{name: random.uniform(0, 1000, rows) for name in ("amount", "balance", "limit", "distance")},
            SOURCE_FILE: "rows.parquet",
            SOURCE_ROW: np.arange(rows),
            UNREADABLE: None,
        }
    )
    if kind == "bad":
        chosen = random.choice(rows, rows // 20, replace=False)
        low, missing, unknown, unread, outside = (chosen[turn::5] for turn in range(5))
        frame.loc[low, "amount"] *= -1
        frame.loc[missing, "card"] = None
        frame.loc[unknown, "category"] = "N/A"
        frame.loc[unread, "balance"] = None
        frame.loc[unread, UNREADABLE] = [json.dumps({"balance": f"about {number}"}) for number in unread]
        frame.loc[outside, "event_time"] -= pd.Timedelta(days=1)
    pq.write_table(pa.Table.from_pandas(frame, raw_schema(specification()), preserve_index=False), path)


def validate(path: Path):
    """Validate one day with the pipeline's own function."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA
    from ml_assets.core.validation.validate_day import validate_day

    raw = pq.read_table(path)
    objects = pa.Table.from_pylist([{"key": "rows.parquet", "rows": raw.num_rows}], schema=LANDED_OBJECTS_SCHEMA)
    begun = time.process_time()
    result = validate_day(specification(), DAY, raw, objects)
    return time.process_time() - begun, result.accepted.num_rows


def compare(path: Path):
    """Apply the same rules as bare comparisons, and sort the good rows."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    spec, raw = specification(), pq.read_table(path)
    begun = time.process_time()
    good = np.ones(raw.num_rows, bool)
    for name, column in spec.columns.items():
        values = raw[name].combine_chunks()
        if values.null_count:
            good &= values.is_valid().to_numpy(zero_copy_only=False)
        if column.pattern:
            distinct = values.dictionary_encode()
            matches = pc.match_substring_regex(distinct.dictionary, f"^(?:{column.pattern})$").take(distinct.indices)
            good &= matches.fill_null(True).to_numpy(zero_copy_only=False)
        if column.minimum is not None:
            good &= ~(values.to_numpy(zero_copy_only=False) < column.minimum)
        if column.maximum is not None:
            good &= ~(values.to_numpy(zero_copy_only=False) > column.maximum)
        if column.allowed is not None:
            good &= np.isin(values.to_numpy(zero_copy_only=False), column.allowed)
    times, begin = raw["event_time"].to_numpy(), np.datetime64(DAY, "us")
    good &= (times >= begin) & (times < begin + np.timedelta64(1, "D"))
    assert (np.diff(np.sort(raw["id"].to_numpy())) > 0).all()
    kept = raw.select(list(spec.columns)).filter(pa.array(good))
    kept = kept.take(pc.sort_indices(kept, sort_keys=[("event_time", "ascending"), ("id", "ascending")]))
    return time.process_time() - begun, kept.num_rows


def run(task: str, paths: list[Path]) -> None:
    """Measure in this process, one day after the other; print seconds of the fastest, rows published and peak in MB."""
    import pyarrow as pa

    pa.set_cpu_count(1)
    runs = {"validate": [validate], "compare": [compare], "memory": [validate]}[task] * (
        1 if task == "memory" else REPEATS
    )
    results = [run(path) for run in runs for path in paths]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": min(seconds for seconds, _ in results), "rows": results[0][1], "peak": peak}))


def measure_validation(context: Context) -> list[Result]:
    """Measure a clean day and one of which 5 % break a rule, and the peak memory of two days."""
    rows, folder, results = context.sizes.rows_validated, context.folder("validation"), []
    bad, other = folder / "bad.parquet", folder / "other.parquet"
    for kind in KINDS:
        path = folder / f"{kind}.parquet"
        write_day(path, rows, kind, seed=1)
        ours, floor = (report_of("-m", __name__, task, path) for task in ("validate", "compare"))
        assert ours["rows"] == floor["rows"]
        title = f"validation of {rows:,} rows of ten columns, {'5 % bad' if kind == 'bad' else 'none bad'}"
        samples = {OURS: [ours["seconds"]], FLOOR: [floor["seconds"]]}
        results.append(Result("validation", title, samples, FLOOR, None, "CPU s"))
    write_day(other, rows, "bad", seed=2)
    one_day, two_days = (report_of("-m", __name__, "memory", *paths)["peak"] for paths in ([other], [other, bad]))
    title = "peak memory of validation, two days one after the other (floor: one day)"
    return [*results, Result("validation", title, {OURS: [two_days], FLOOR: [one_day]}, FLOOR, 1.2, "MB")]


if __name__ == "__main__":
    run(sys.argv[1], list(map(Path, sys.argv[2:])))
