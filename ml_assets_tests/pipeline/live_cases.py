"""Features and models of known quality, put into a lake as earlier stages would, for tests of releases."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ml_assets.core.model.digest import model_digest
from ml_assets.core.model.files import ARTIFACTS, MODEL, PREPROCESSING
from ml_assets.core.model.scorer import column_types, to_matrix
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import Move
from ml_assets.core.tables.schemas import REGISTRY_ENTRY_SCHEMA, features_schema
from ml_assets.pipeline.asset_names import CANARY_COMPARISON, DEPLOYMENT, ENTRY, FEATURES, PREDICTIONS
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.engine.stage import DayOutcome
from ml_assets.pipeline.release.deployment_stage import ModelDeployment
from ml_assets.pipeline.release.predictions_stage import DailyPredictions
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.release.ledger import Ledger
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import day

CANARY = {
    "steps": [20, 50, 100],
    "minimum_days": 3,
    "minimum_rows": 100,
    "minimum_positives": 20,
    "maximum_days": "20d",
    "metric": "roc_auc",
    "margin": 0.02,
    "maximum_error_increase": 0.03,
    "bootstrap_samples": 60,
}
DAYS, ROWS, CARDS = 64, 300, 90
# The features of SMALL: one that predicts the label, one that adds to it, and one that predicted it until the data
# changed.
AMOUNT, MORE, ONCE = ModelSpec.model_validate(SMALL).feature_names()


def spec_with(canary: Mapping | None = None, **changes) -> ModelSpec:
    """Build the small specification with a canary."""
    return ModelSpec.model_validate(
        {**SMALL, "deployment": {"canary": {**CANARY, **(canary or {})}, "explained_rows": 5, "reasons": 2}, **changes}
    )


def rows_with_features(which: date, live: bool = True, count: int = ROWS) -> pd.DataFrame:
    """Simulate features and labels of a day; in data that are not live yet, ONCE predicts the label."""
    random = np.random.default_rng(which.toordinal())
    signal, more, once = random.normal(size=(3, count))
    odds = 2 * signal + 1.5 * more + (0 if live else 6 * once) - 1.5
    return pd.DataFrame(
        {
            "id": which.toordinal() * 1000 + np.arange(count),
            "event_time": pd.Timestamp(which, tz="UTC") + pd.to_timedelta(np.arange(count), unit="min"),
            "card": [f"card-{number}" for number in random.integers(0, CARDS, count)],
            "label": (random.random(count) < 1 / (1 + np.exp(-odds))).astype(int),
            AMOUNT: signal,
            MORE: more,
            ONCE: once,
        }
    )


@cache
def model(kind: str) -> dict[str, bytes]:
    """Train a model and return its files by name.

    Args:
        kind: `first`; `equal` to it; `better`; `worse`, which was as good until the data changed; or `eager`, which
            decides positive at a low score.
    """
    import xgboost as xgb

    names = {
        "first": [AMOUNT],
        "equal": [AMOUNT],
        "better": [AMOUNT, MORE],
        "worse": [AMOUNT, ONCE],
        "eager": [AMOUNT],
    }[kind]
    rows = pd.concat([rows_with_features(day(number), kind != "worse") for number in range(-9, 1)], ignore_index=True)
    rows = rows.iloc[1::2] if kind == "equal" else rows.iloc[::2]
    preprocessing = {
        "features": [{"name": name, "kind": "number"} for name in names],
        "target": "label",
        "threshold": 0.05 if kind == "eager" else 0.5,
    }
    matrix = xgb.DMatrix(to_matrix(preprocessing, rows), rows["label"], feature_types=column_types(preprocessing))
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 2, "eta": 0.3, "nthread": 1}, matrix, 20)
    provenance = json.dumps({"kind": kind}).encode()
    return dict(
        zip(ARTIFACTS, (bytes(booster.save_raw("ubj")), json.dumps(preprocessing).encode(), provenance), strict=True)
    )


class LiveLake:
    """A lake that gets features and registry entries, and in which days are decided and scored one after the other."""

    def __init__(self, root: Path, spec: ModelSpec | None = None):
        self.root, self.spec, self.lake = root, spec or spec_with(), Lake(uri=str(root / "lake"))
        self.ledger = Ledger(self.lake, self.spec.name)
        self.features = self.lake.table(self.spec.name, FEATURES, features_schema(self.spec))
        self.entries = self.lake.table(self.spec.name, ENTRY, REGISTRY_ENTRY_SCHEMA)
        self.versions = 0
        self.open()

    def open(self) -> None:
        """Open the stages as another process would."""
        landing = Landing(uri=str(self.root / "landing"))
        self.deployment = ModelDeployment(self.spec, Lake(uri=self.lake.uri), landing, self.ledger.append, "run 1")
        self.predictions = DailyPredictions(self.spec, Lake(uri=self.lake.uri))

    def put_features(self, numbers: Iterable[int] = range(1, DAYS + 1), labels: bool = True) -> None:
        """Commit features of some days."""
        rows = {}
        for number in numbers:
            frame = rows_with_features(day(number))
            frame["label"] = frame["label"] if labels else pd.array([None] * len(frame), dtype="Int64")
            rows[day(number)] = pa.Table.from_pandas(frame, features_schema(self.spec), preserve_index=False)
        self.features.refresh()
        self.features.commit(rows, dict.fromkeys(rows, 7 if labels else 8))

    def put_model(self, kind: str, number: int, passed: bool = True) -> int:
        """Register the model of a day; return its version number."""
        files = model(kind)
        digest = model_digest(files[MODEL], files[PREPROCESSING])
        for name, content in files.items():
            self.lake.files.write(f"{self.spec.name}/models/{digest}/{name}", content)
        self.versions += 1
        entry = {"model_digest": digest, "version": str(self.versions), "gates_passed": passed}
        self.entries.refresh()
        self.entries.commit(
            {day(number): pa.Table.from_pylist([entry], schema=REGISTRY_ENTRY_SCHEMA)}, {day(number): self.versions}
        )
        return self.versions

    def decide(self, first: int, last: int | None = None) -> list[DayOutcome]:
        """Materialize deployment for some days, one after the other."""
        days = [day(number) for number in range(first, (last or first) + 1)]
        return list(make_days(self.deployment, days, "run-1", single_partition=last is None))

    def live(self, first: int, last: int | None = None) -> None:
        """Decide and score each day before the next one."""
        for number in range(first, (last or first) + 1):
            self.decide(number)
            list(make_days(self.predictions, [day(number)], "run-1", single_partition=True))

    def row(self, number: int) -> dict:
        """Return the row of deployment of a day."""
        self.deployment.tables[DEPLOYMENT].refresh()
        row = self.deployment.row(day(number))
        assert row is not None
        return row

    def outcomes(self) -> list[str]:
        """List the outcomes of all decided days in their order."""
        table = self.deployment.tables[DEPLOYMENT]
        return table.read(sorted(table.row_counts()), ["outcome"])["outcome"].to_pylist()

    def compared(self, number: int, scope: str = "paired") -> pd.DataFrame:
        """Return the comparison as known on a day, by metric."""
        rows = self.deployment.tables[CANARY_COMPARISON].read([day(number)]).to_pandas()
        return rows[rows["scope"] == scope].set_index("metric")

    def scored(self, number: int) -> pd.DataFrame:
        """Return the predictions of a day."""
        return self.predictions.tables[PREDICTIONS].read([day(number)]).to_pandas()

    def story(self) -> list[tuple[int, str, int | None, int | None, int]]:
        """List number of the day, action, champion, challenger and percent of each release."""
        return [summarize_release(move) for move in self.ledger.moves()]


def summarize_release(move: Move) -> tuple[int, str, int | None, int | None, int]:
    """Return number of the day, action, and champion, challenger and percent after a release."""
    after = move.after
    number = (move.day - day(1)) // timedelta(days=1) + 1
    return (
        number,
        move.action,
        after.champion and after.champion.number,
        after.challenger and after.challenger.number,
        after.percent,
    )
