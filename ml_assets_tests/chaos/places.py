"""The small world of chaos tests: nine days through all stages, with bad data, a canary, and predictions."""

import io
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.definitions import DEFS
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store

DAYS = 9
CANARY = {
    "steps": [50, 100],
    "minimum_days": 1,
    "minimum_rows": 20,
    "minimum_positives": 3,
    "maximum_days": "5d",
    "metric": "roc_auc",
    "margin": 0.3,
    "maximum_error_increase": 0.5,
    "bootstrap_samples": 20,
}
SPEC = ModelSpec.model_validate(
    {
        **SMALL,
        "label_delay": "1d",
        "training": {"window": "3d", "validation": "1d", "rounds": 3},
        "evaluation": {"holdout": "1d", "top_k": 5, "bootstrap_samples": 20},
        "deployment": {"canary": CANARY, "explained_rows": 3},
    }
)
# What steps print goes to the log of the run; Dagster would start three processes for each step to keep it.
NO_OUTPUT = """
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True)
class Place:
    """The place of a world, as a child process needs it: a folder, and the URI and endpoint of a bucket when lake,
    landing and deploy target are in one.

    mlflow: URI of MLflow's store; without it SQLite in the folder. database: URI of the PostgreSQL database of
    Dagster's state; without it SQLite. clock: seconds by which the clock of a run is wrong. days: number of days that
    land.
    """

    root: Path
    uri: str | None = None
    s3: Mapping[str, str] = field(default_factory=dict)
    mlflow: str | None = None
    database: str | None = None
    clock: int = 0
    days: int = DAYS

    def at(self, endpoint: str) -> "Place":
        """Return the place with another address of the store."""
        return replace(self, s3={**self.s3, "endpoint_url": endpoint})

    @property
    def base(self) -> str:
        """The beginning of all URIs."""
        return self.uri or str(self.root)


class ChaosWorld(World):
    """A world at a place, with a Dagster instance on disk as on a laptop."""

    def __init__(self, place: Place):
        if place.uri:
            os.environ.update(KEYS)
        s3, home = dict(place.s3), place.root / "dagster"
        home.mkdir(exist_ok=True)
        if not (home / "dagster.yaml").exists():
            settings = (
                DEFS.parent
                / "resources/dagster_instance"
                / ("dagster-postgres.yaml" if place.database else "dagster.yaml")
            )
            (home / "dagster.yaml").write_text(settings.read_text() + NO_OUTPUT)
        if place.database:
            os.environ["ML_ASSETS_DATABASE"] = place.database
        lake, landing = Lake(uri=f"{place.base}/lake", s3=s3), Landing(uri=f"{place.base}/landing", s3=s3)
        super().__init__(place.root, SPEC, lake, landing, instance=dg.DagsterInstance.from_config(str(home)))
        self.place, self.deploy_target = place, DeployTarget(uri=f"{place.base}/production", s3=s3)
        self.registry = registry_at(place)
        if place.mlflow:
            artifacts = (place.root / "mlartifacts").as_uri()
            self.tracking = ExperimentTracking(
                tracking_uri=place.mlflow, artifact_root=None if place.mlflow.startswith("http") else artifacts
            )


def registry_at(place: Place) -> ModelRegistry:
    """Open the registry of a world."""
    return ModelRegistry(tracking_uri=place.mlflow or f"sqlite:///{place.root / 'mlflow.db'}")


def good_rows(number: int) -> bytes:
    """Return the good file of a day."""
    buffer = io.BytesIO()
    rows_of(day(number)).to_parquet(buffer)
    return buffer.getvalue()


def faulty_file(number: int, how: str) -> bytes:
    """Return a bad file of a day: `truncated` in the middle, `garbage`, `empty`, or with `few bad` or `all bad` rows,
    which break the contract.
    """
    good = good_rows(number)
    if how == "truncated":
        return good[: len(good) // 2]
    if how == "garbage":
        return bytes(range(256)) * 20
    if how == "empty":
        return b""
    rows = rows_of(day(number))
    rows.loc[rows.index[: 1 if how == "few bad" else None], "amount"] = -1.0
    buffer = io.BytesIO()
    rows.to_parquet(buffer)
    return buffer.getvalue()


def land_all(place: Place) -> None:
    """Land files of all days: one row of day 2 is bad, and all rows of day 3."""
    landing = open_objects(f"{place.base}/landing", place.s3)
    for number in range(1, place.days + 1):
        landing.write(
            f"{day(number)}/rows.parquet",
            {2: faulty_file(2, "few bad"), 3: faulty_file(3, "all bad")}.get(number) or good_rows(number),
        )


def change(place: Place) -> None:
    """Repair and change landed files: a good file for day 3, a second file for day 6, and fewer rows for day 8."""
    landing = open_objects(f"{place.base}/landing", place.s3)
    landing.write(f"{day(3)}/rows.parquet", good_rows(3))
    more = rows_of(day(6)).assign(id=lambda rows: rows["id"] + 500)
    landing.write(f"{day(6)}/more.csv", more.to_csv(index=False).encode())
    buffer = io.BytesIO()
    rows_of(day(8)).iloc[:50].to_parquet(buffer)
    landing.write(f"{day(8)}/rows.parquet", buffer.getvalue())


def new_place(root: Path, uri: str | None = None, s3: Mapping[str, str] | None = None, **more: str | int) -> Place:
    """Make a place with an empty store of MLflow and files of all days."""
    root.mkdir(parents=True, exist_ok=True)
    place = Place(root, uri, dict(s3 or {}), **more)
    if place.mlflow is None:
        new_store(root)
    land_all(place)
    return place


def copy_of(place: Place, root: Path) -> Place:
    """Copy a world in a folder to another folder; artifacts of MLflow are shared."""
    assert place.uri is None
    assert place.mlflow is None
    shutil.copytree(place.root, root, symlinks=True)
    return replace(place, root=root)
