"""Helpers of the tests of tracking and registry: a new MLflow store, a Dagster context, a small trained model."""

import json
import logging
import shutil
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pandas as pd

from ml_assets.core.model.scorer import column_types, to_matrix
from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.model_record import ModelRecord
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.registry.model_registry import ModelRegistry

PNG = b"\x89PNG\r\n\x1a\n"


@cache
def _empty_store() -> TemporaryDirectory:
    folder = TemporaryDirectory()
    connect(f"sqlite:///{folder.name}/mlflow.db")
    return folder


def new_store(folder: Path) -> str:
    """Return the URI of an empty store in `folder`, copied from one that is created once, because MLflow takes seconds
    to create one.
    """
    shutil.copy(Path(_empty_store().name, "mlflow.db"), folder / "mlflow.db")
    return f"sqlite:///{folder}/mlflow.db"


def context(run_id: str = "run-1"):
    """Return the part of an asset's execution context that tracking reads."""
    return SimpleNamespace(
        run=SimpleNamespace(run_id=run_id, job_name="some_job"),
        log=logging.getLogger("test"),
        instance=SimpleNamespace(get_run_by_id=lambda run_id: None),
    )


def features(rows: int = 40, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount": draw.lognormal(3, 1, rows),
            "mean_7d": np.where(draw.random(rows) < 0.2, np.nan, draw.random(rows)),
            "category": draw.choice(["food", "fuel", "travel"], rows),
        }
    )


@cache
def artifacts() -> dict[str, bytes]:
    """Return the files of a model of `features`."""
    import xgboost as xgb

    rows = features(300)
    fitted = [
        {"name": "amount", "kind": "number"},
        {"name": "mean_7d", "kind": "number"},
        {"name": "category", "kind": "native", "categories": ["food", "fuel", "travel"]},
    ]
    preprocessing = {"features": fitted, "target": "is_fraud", "threshold": 0.4}
    matrix = xgb.DMatrix(
        to_matrix(preprocessing, rows),
        (rows["amount"] > 25) & (rows["category"] != "food"),
        feature_types=column_types(preprocessing),
        enable_categorical=True,
    )
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, matrix, 8)
    return {
        "model.ubj": bytes(booster.save_raw("ubj")),
        "preprocessing.json": json.dumps(preprocessing).encode(),
        "passport.json": b"{}",
    }


def record(digest: str = "a1", day: date = date(2025, 3, 1), **changes) -> ModelRecord:
    attributes = {
        "name": "fraud",
        "day": day,
        "digest": digest,
        "artifacts": artifacts(),
        "example": features(3),
        "params": {"eta": 0.1, "rounds": 8},
        "metrics": {"roc_auc": 0.9, "precision": float("nan"), "lift": float("inf")},
        "plots": {"roc.png": PNG},
        "tags": {"gates": "passed", "evaluation_fingerprint": "00ff"},
    }
    return ModelRecord(**(attributes | changes))


def record_with_many_metrics() -> ModelRecord:
    """Return a model of many classes, with gates on each of them, and a long description."""
    metrics = {f"precision_of_class_{number}": 0.5 for number in range(200)}
    gates = {f"gate_{name}": f"{name} 0.5 is at least 0.4" for name in metrics}
    gates |= {
        f"gate_slices_{number}": f"roc_auc of the worst of {number} slices is at least 0.3" for number in range(99)
    }
    return record(metrics=metrics, tags={"gates": "passed", **gates}, about="Which team answers a ticket. " * 300)


def register_at_once(uri: str, start, results, artifact_root: str | None = None) -> None:
    """Create the store and register two digests, at the same time as other processes."""
    try:
        registry, tracking = (
            ModelRegistry(tracking_uri=uri),
            ExperimentTracking(tracking_uri=uri, artifact_root=artifact_root),
        )
        start.wait(timeout=60)
        with tracking.run(context("shared"), "fraud") as run:
            done = [registry.register(run, record(digest)) for digest in ("a1", "b2")]
        results.put([(registered.version, registered.run_id, registered.created) for registered in done])
    except BaseException as error:
        results.put(repr(error))
        raise
