"""Six steps as plain functions from file to file: the floor of a model each day.

    python -m benchmarks.peers.steps LANDING OUT DAY...

Each step reads the files of the one before and writes its own, one file a day, in the formats that ml_assets uses.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

ROWS_BEFORE = 7
FEATURES = ["amount", "log_amount", "squared_amount", "mean_before", "std_before"]
PARAMETERS = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.2, "tree_method": "hist", "nthread": 2}


def ingest(landing: Path, out: Path, day: str) -> None:
    """Copy the rows of a landed file."""
    import pandas as pd

    pd.read_parquet(landing / f"{day}.parquet").to_parquet(_file(out, day, "raw.parquet"), index=False)


def validate(landing: Path, out: Path, day: str) -> None:
    """Check keys, amounts and number of rows.

    Raises:
        ValueError: when a rule is broken.
    """
    import pandas as pd

    rows = pd.read_parquet(_file(out, day, "raw.parquet"))
    rules = {
        "an account is missing": rows["account"].notna().all(),
        "a transfer occurs twice": rows["transfer_id"].is_unique,
        "an amount is out of range": rows["amount"].between(0, 100_000).all(),
        "too few rows": len(rows) >= 500,
    }
    if broken := [text for text, holds in rules.items() if not holds]:
        raise ValueError(f"{day}: {', '.join(broken)}")
    rows.to_parquet(_file(out, day, "validated.parquet"), index=False)


def build_features(landing: Path, out: Path, day: str) -> None:
    """Compute amounts, and mean and standard deviation of the last rows of the account, this one included."""
    import numpy as np
    import pandas as pd

    rows = pd.read_parquet(_file(out, day, "validated.parquet"))
    rows = rows.sort_values(["account", "booked_at"], kind="stable", ignore_index=True)
    amount, account, position = rows["amount"].to_numpy(), rows["account"].to_numpy(), np.arange(len(rows))
    is_first = np.r_[True, account[1:] != account[:-1]]
    begin = np.maximum(np.maximum.accumulate(np.where(is_first, position, 0)), position - ROWS_BEFORE + 1)
    total, squares = (np.r_[0.0, np.cumsum(values)] for values in (amount, amount**2))
    number = position - begin + 1
    mean = (total[position + 1] - total[begin]) / number
    deviations = np.maximum(squares[position + 1] - squares[begin] - number * mean**2, 0)
    features = {
        "log_amount": np.log1p(amount),
        "squared_amount": amount**2,
        "mean_before": mean,
        "std_before": np.sqrt(deviations / np.maximum(number - 1, 1)),
    }
    rows.assign(**features).to_parquet(_file(out, day, "features.parquet"), index=False)


def train(landing: Path, out: Path, day: str) -> None:
    """Train on four fifths of the rows."""
    import pandas as pd
    import xgboost as xgb

    rows = pd.read_parquet(_file(out, day, "features.parquet"))
    rows = rows[rows["transfer_id"] % 5 != 0]
    matrix = xgb.DMatrix(rows[FEATURES], rows["is_fraud"], nthread=2)
    xgb.train(PARAMETERS, matrix, 50).save_model(_file(out, day, "model.ubj"))


def evaluate(landing: Path, out: Path, day: str) -> None:
    """Measure the area under the ROC curve on the other fifth.

    Raises:
        ValueError: when it is below the gate.
    """
    import pandas as pd
    import xgboost as xgb

    rows = pd.read_parquet(_file(out, day, "features.parquet"))
    rows = rows[rows["transfer_id"] % 5 == 0]
    booster = xgb.Booster({"nthread": 2}, model_file=_file(out, day, "model.ubj"))
    rank = pd.Series(booster.predict(xgb.DMatrix(rows[FEATURES], nthread=2))).rank().to_numpy()
    positive = rows["is_fraud"].to_numpy() == 1
    frauds = int(positive.sum())
    area = (rank[positive].sum() - frauds * (frauds + 1) / 2) / (frauds * (len(rows) - frauds))
    if area < 0.7:
        raise ValueError(f"{day}: the area under the ROC curve is {area:.3f}, below 0.7")
    _file(out, day, "metrics.json").write_text(json.dumps({"day": day, "roc_auc": area, "rows": len(rows)}))


def deploy(landing: Path, out: Path, day: str) -> None:
    """Copy the model and its metrics to the place of a server."""
    for name in ("model.ubj", "metrics.json"):
        shutil.copyfile(_file(out, day, name), _file(out / "production", day, name))


STEPS = (ingest, validate, build_features, train, evaluate, deploy)


def _file(out: Path, day: str, name: str) -> Path:
    (out / day).mkdir(parents=True, exist_ok=True)
    return out / day / name


def run_days(landing: Path, out: Path, days: Sequence[str]) -> None:
    """Run all steps of one day after the other."""
    for day in days:
        for step in STEPS:
            step(landing, out, day)


if __name__ == "__main__":
    run_days(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
