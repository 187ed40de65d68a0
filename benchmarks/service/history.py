"""A lake with the history of the simulated card transactions, and a registry with two versions of a model.

    python -m benchmarks.service.history MLFLOW_URI

As a program it changes champion, challenger and percentage every second until it is ended.
"""

import json
import sys
import time
from pathlib import Path

MODEL = "fraud_detection"
HISTORY_DAYS = 38
ROUNDS_OF_BOOSTING = 150


def prepare(place: Path) -> tuple[list[bytes], list[bytes], list[str], Path]:
    """Write a lake with history and a registry with two versions.

    Returns:
        Bodies of requests for the service and for the floor, and names of features and model file of the floor.
    """
    import pandas as pd

    from ml_assets.cli.command_inputs import require_spec
    from ml_assets.cli.demo.simulated_days import FIRST_DAY
    from ml_assets.cli.demo.simulator import simulate_days
    from ml_assets.core.features.point_in_time import build_features
    from ml_assets.core.ingestion.file_reader import read_landed_file
    from ml_assets.core.model_spec.file_feed import rows_feed
    from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA, row_schema, to_pandas
    from ml_assets.core.validation.validate_day import validate_day
    from ml_assets.pipeline.asset_names import VALIDATED
    from ml_assets.resources.lake.lake import Lake
    from ml_assets.resources.mlflow.connection import connect

    spec, lake = require_spec(MODEL), Lake(uri=str(place / "lake"))
    feed, days = rows_feed(spec), {}
    for day, rows in simulate_days(spec.source.start, HISTORY_DAYS + 1, moved_by=spec.source.start - FIRST_DAY):
        raw = read_landed_file(feed, "rows.csv", rows.to_csv(index=False).encode()).rows
        days[day] = validate_day(
            feed,
            day,
            raw,
            LANDED_OBJECTS_SCHEMA.empty_table().from_pylist(
                [{"key": "rows.csv", "rows": len(rows)}], LANDED_OBJECTS_SCHEMA
            ),
        ).accepted
    today = max(days)
    frames = {day: to_pandas(table) for day, table in days.items()}
    history = {day: table for day, table in days.items() if day < today}
    lake.table(MODEL, VALIDATED, row_schema(feed)).commit(history, dict.fromkeys(history, 1))
    features = build_features(spec, frames[today], pd.concat([frames[day] for day in history], ignore_index=True))
    client = connect(f"sqlite:///{place / 'mlflow.db'}")
    client.create_registered_model(MODEL)
    for number, seed in enumerate((1, 2), start=1):
        digest = write_model(spec, lake, features, seed)
        client.create_model_version(
            MODEL, "file:///nowhere", tags={"model_digest": digest, "day": str(today)}, await_creation_for=0
        )
        client.set_registered_model_alias(MODEL, ("champion", "challenger")[number - 1], str(number))
    columns = [name for name in spec.columns if name != spec.target]
    rows = [row.to_json(date_format="iso", date_unit="us").encode() for _, row in frames[today][columns].iterrows()]
    numbers = features[spec.feature_names()].assign(
        **{name: features[name].astype("category").cat.codes for name in spec.categorical_features()}
    )
    plain = [json.dumps(row).encode() for row in numbers.fillna(0.0).astype(float).to_dict("records")]
    return rows, plain, [str(name) for name in numbers], place / "lake" / MODEL / "models" / digest / "model.ubj"


def write_model(spec, lake, features, seed: int) -> str:
    """Train a model of the size that the pipeline makes, put its files into the lake, return its digest."""
    import xgboost as xgb

    from ml_assets.core.model.digest import model_digest
    from ml_assets.core.model.preprocessing import PreprocessingFit, to_bytes
    from ml_assets.core.model.scorer import column_types, to_matrix

    fit = PreprocessingFit(spec)
    fit.add(features)
    fitted = {**fit.fitted(), "threshold": 0.5}
    data = xgb.DMatrix(
        to_matrix(fitted, features),
        features[spec.target].astype(int),
        feature_types=column_types(fitted),
        enable_categorical=True,
    )
    parameters = {
        "objective": "binary:logistic",
        "max_depth": 6,
        "eta": 0.1,
        "subsample": 0.8,
        "seed": seed,
        "nthread": 1,
    }
    model = bytes(xgb.train(parameters, data, ROUNDS_OF_BOOSTING).save_raw("ubj"))
    preprocessing = to_bytes(fitted)
    digest = model_digest(model, preprocessing)
    for name, content in [("model.ubj", model), ("preprocessing.json", preprocessing)]:
        lake.files.write(f"{MODEL}/models/{digest}/{name}", content)
    return digest


def move(uri: str) -> None:
    """Change champion, challenger and percentage every second until the process is ended; print a line each time."""
    from ml_assets.resources.mlflow.connection import connect

    client = connect(uri)
    for number in range(10**6):
        client.set_registered_model_alias(MODEL, "champion", str(1 + number % 2))
        client.set_registered_model_alias(MODEL, "challenger", str(2 - number % 2))
        client.set_registered_model_tag(MODEL, "canary_percent", str((5, 25, 50, 100, 0)[number % 5]))
        print(number, flush=True)
        time.sleep(1)


if __name__ == "__main__":
    move(sys.argv[1])
