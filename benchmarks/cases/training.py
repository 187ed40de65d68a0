"""Peak memory and time of training on 100 and 300 days of features, against plain XGBoost on the same arrays.

Training runs in memory and with external memory. Each figure is from a process of its own. Its peak (VmHWM) and
processor time are those of the whole of `train`: survey of the days, early stopping on the newest ten, threshold,
refit. The floor hands the same arrays to one `QuantileDMatrix` and trains as many rounds, with no survey, no validation
part and no refit. Growth is the peak of many days less that of few, divided by the values (rows times features) that
came to it. With every kind of features: `full` has no missing value, `gaps` has one in twenty.
"""

import json
import sys
import time
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from benchmarks.harness.context import Context
from benchmarks.harness.process import report_of
from benchmarks.harness.results import FLOOR, OURS, Result

FIRST = date(2024, 1, 1)
FEATURES, ROUNDS, BINS = 40, 10, 256
KINDS = {"full": 0.0, "gaps": 0.05}
ENGINES = ("memory", "external_memory", "floor")


def specification(engine: str):
    """Return a specification with numeric features only, one thread, and a fixed number of rounds."""
    from ml_assets.core.model_spec import ModelSpec

    number = {"type": "number"}
    names = [f"x{position}" for position in range(FEATURES)]
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
                "rounds": ROUNDS,
                "early_stopping_rounds": ROUNDS,
                "batch_rows": 100_000,
                "parameters": {"max_bin": BINS},
            },
            "evaluation": {"holdout": "1d"},
            "gates": {"roc_auc": {"minimum": 0.5}},
            "compute": {"cpu": 1},
        }
    )


def read_day(rows: int, missing: float, day: date):
    """Return the features of a day, the same each time."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(day.toordinal())
    values = random.random((rows, FEATURES), dtype=np.float32)
    label = (values[:, 0] + random.random(rows) > 1.6).astype(int)
    if missing:
        values[random.random(values.shape) < missing] = np.nan
    return pd.DataFrame(values, columns=[f"x{position}" for position in range(FEATURES)]).assign(label=label)


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


def run(engine: str, kind: str, days: int, rows: int) -> None:
    """Train once in this process, and print its peak memory in MB and its processor time in seconds."""
    from ml_assets.core.training.time_split import Split
    from ml_assets.core.training.train import train

    spec = specification(engine)
    window = [FIRST + timedelta(days=number) for number in range(days)]
    read = partial(read_day, rows, KINDS[kind])
    # Imports are no part of the figures.
    import sklearn.metrics  # noqa: F401
    import xgboost  # noqa: F401

    begun = time.process_time()
    if engine == "floor":
        train_floor(spec, window, read)
    else:
        train(spec, Split(window[:-10], window[-10:], []), read, lambda line: None)
    seconds = time.process_time() - begun
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    print(json.dumps({"seconds": seconds, "peak": peak / 1024}))


def measure_training(context: Context) -> list[Result]:
    """Measure each engine on each kind of data: seconds of the larger number of days, and growth of the peak."""
    (few, many), rows = context.sizes.training_days, context.sizes.training_rows
    results = []
    for kind in KINDS:
        figures = {
            (engine, days): report_of("-m", __name__, engine, kind, days, rows)
            for engine in ENGINES
            for days in (few, many)
        }
        for engine in ENGINES[:-1]:
            title = f"training ({engine}, {kind}) on {many} days of {rows:,} rows, {FEATURES} features"
            seconds = {OURS: [figures[engine, many]["seconds"]], FLOOR: [figures["floor", many]["seconds"]]}
            results.append(Result("training", title, seconds, FLOOR, None, "CPU s"))
            values = (many - few) * rows * FEATURES
            growth = {
                name: [(figures[which, many]["peak"] - figures[which, few]["peak"]) * 2**20 / values]
                for name, which in ((OURS, engine), (FLOOR, "floor"))
            }
            results.append(
                Result("training", f"growth of the peak of it, {few} to {many} days", growth, unit="B a value")
            )
    return results


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
