"""Benchmark of peak memory and time of training on 100 and 300 days of features, against plain XGBoost.

    python benchmarks/training.py [--rows N] [--features N] [--rounds N] [--bins N]

Training runs in memory and with external memory, and the floor on the same arrays. Each figure is from a process of its
own. Its peak (VmHWM) and processor time are those of the whole of `train`: survey of the days, early stopping on the
newest ten, threshold, refit. The floor hands the same arrays to one `QuantileDMatrix` and trains as many rounds, with
no survey, no validation part and no refit. Growth is the peak of 300 days less that of 100, divided by the values (rows
times features) that came to it. With every kind of features: `full` has no missing value, `gaps` has one in twenty.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import date, timedelta
from functools import partial
from pathlib import Path

FIRST = date(2024, 1, 1)
DAYS = (100, 300)
KINDS = {"full": 0.0, "gaps": 0.05}
ENGINES = ("memory", "external_memory", "floor")


def specification(engine: str, features: int, rounds: int, bins: int):
    """Return a specification with numeric features only, one thread, and a fixed number of rounds."""
    from ml_assets.core.model_spec import ModelSpec

    number = {"type": "number"}
    names = [f"x{position}" for position in range(features)]
    return ModelSpec.model_validate(
        {
            "name": "bench",
            "source": {"files": "{day}/*", "start": FIRST},
            "columns": {
                "id": {"type": "integer"},
                "event_time": {"type": "timestamp"},
                "label": {"type": "integer", "allowed": [0, 1]},
                **dict.fromkeys(names, number),
            },
            "row_key": ["id"],
            "event_time": "event_time",
            "target": "label",
            "label_delay": "1d",
            "features": [{"kind": "column", "columns": names}],
            "training": {
                "window": "400d",
                "validation": "10d",
                "engine": engine if engine != "floor" else "memory",
                "rounds": rounds,
                "early_stopping_rounds": rounds,
                "batch_rows": 100_000,
                "parameters": {"max_bin": bins},
            },
            "evaluation": {"holdout": "1d"},
            "gates": {"roc_auc": {"minimum": 0.5}},
            "compute": {"cpu": 1},
        }
    )


def read_day(rows: int, features: int, missing: float, day: date):
    """Return the features of a day, the same each time."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(day.toordinal())
    values = random.random((rows, features), dtype=np.float32)
    label = (values[:, 0] + random.random(rows) > 1.6).astype(int)
    if missing:
        values[random.random(values.shape) < missing] = np.nan
    return pd.DataFrame(values, columns=[f"x{position}" for position in range(features)]).assign(label=label)


def train_floor(spec, days: list[date], read) -> None:
    """Train on one matrix of all days."""
    import numpy as np
    import xgboost as xgb

    class Days(xgb.DataIter):
        def __init__(self):
            super().__init__()
            self._at = 0

        def reset(self) -> None:
            self._at = 0

        def next(self, input_data) -> bool:
            if self._at >= len(days):
                return False
            frames = [read(day) for day in days[self._at : self._at + 10]]
            values = np.concatenate([frame.iloc[:, :-1].to_numpy() for frame in frames])
            input_data(data=values, label=np.concatenate([frame["label"].to_numpy() for frame in frames]))
            self._at += 10
            return True

    chosen = spec.training.parameters
    matrix = xgb.QuantileDMatrix(Days(), max_bin=chosen.max_bin, nthread=1)
    parameters = {**chosen.model_dump(), "objective": "binary:logistic", "tree_method": "hist", "nthread": 1}
    xgb.train(parameters, matrix, spec.training.rounds)


def measure(arguments: argparse.Namespace) -> None:
    """Train once in this process, and print its peak memory in MB and its processor time in seconds."""
    from ml_assets.core.training.time_split import Split
    from ml_assets.core.training.train import train

    engine, days, kind = arguments.measure
    spec = specification(engine, arguments.features, arguments.rounds, arguments.bins)
    window = [FIRST + timedelta(days=number) for number in range(int(days))]
    read = partial(read_day, arguments.rows, arguments.features, KINDS[kind])
    # Imports are no part of the figures.
    import sklearn.metrics  # noqa: F401
    import xgboost  # noqa: F401

    begun = time.process_time()
    if engine == "floor":
        train_floor(spec, window, read)
    else:
        train(spec, Split(window[:-10], window[-10:], []), read, lambda line: None)
    seconds = time.process_time() - begun
    peak = next(
        int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    print(json.dumps({"seconds": seconds, "peak": peak / 1024}))


def main(arguments: argparse.Namespace, given: list[str]) -> None:
    """Measure each engine on each kind of data and print the figures."""
    values = (DAYS[1] - DAYS[0]) * arguments.rows * arguments.features
    print(
        f"{arguments.rows:,} rows a day, {arguments.features} features, {arguments.bins} bins, "
        f"{arguments.rounds} rounds, one thread"
    )
    for kind in KINDS:
        for engine in ENGINES:
            figures = []
            for days in DAYS:
                command = [sys.executable, __file__, *given, "--measure", engine, str(days), kind]
                figures.append(
                    json.loads(
                        subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
                    )
                )
            small, large = figures
            growth = (large["peak"] - small["peak"]) * 2**20 / values
            print(
                f"{kind:4}  {engine:15}  {DAYS[0]} days {small['peak']:6,.0f} MB {small['seconds']:6.1f} s   "
                f"{DAYS[1]} days {large['peak']:6,.0f} MB {large['seconds']:6.1f} s   growth {growth:5.2f} bytes a "
                "value",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--bins", type=int, default=256)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    main_or_measure = parser.parse_args()
    if main_or_measure.measure:
        measure(main_or_measure)
    else:
        main(main_or_measure, sys.argv[1:])
