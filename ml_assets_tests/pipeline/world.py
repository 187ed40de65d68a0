"""A landing directory, a lake, an MLflow store and a Dagster instance, all real and in a temporary directory."""

import io
import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import Move, promote
from ml_assets.pipeline.asset_names import asset_key
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.pipeline.graph.stages import Stages, open_stages
from ml_assets.pipeline.steps.partition_tags import PARTITION, range_tags
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.releases import Releases
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store

START = date(2025, 1, 1)
ROWS = 60
_assets: dict[str, list[dg.AssetsDefinition]] = {}


def day(number: int) -> date:
    """Return the day with a number from 1: day 1 is the first of January 2025."""
    return START + timedelta(days=number - 1)


def rows_of(which: date, count: int = ROWS) -> pd.DataFrame:
    """Simulate good rows of a day, the same ones each time; the label depends on the amount."""
    random = np.random.default_rng(which.toordinal())
    amount = np.round(random.gamma(2.0, 20.0, count), 2)
    seconds = np.sort(random.integers(0, 86_400, count))
    return pd.DataFrame(
        {
            "id": which.toordinal() * 1000 + np.arange(count),
            "event_time": pd.Timestamp(which) + pd.to_timedelta(seconds, unit="s"),
            "card": [f"card-{number}" for number in random.integers(0, 12, count)],
            "amount": amount,
            "label": (amount + random.normal(0, 15, count) > 60).astype(int),
        }
    )


def tags_of(first: date, last: date | None = None) -> dict[str, str]:
    """Build the tags of a run for the single day `first`, or for the days from `first` to `last`."""
    return {PARTITION: str(first)} if last is None else range_tags(first, last)


@cache
def _instance_in_memory() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


def assets_of(spec: ModelSpec) -> list[dg.AssetsDefinition]:
    """Build the assets of a specification, once in a process."""
    key = spec.model_dump_json()
    if key not in _assets:
        _assets[key] = build_assets(spec)
    return _assets[key]


class World:
    """Landing, lake, registry, deploy target and Dagster instance of a model.

    Without an instance it shares one in memory, and keeps the events of its runs in a list: to index them in a database
    is a quarter of a small run. Tests that query runs or events by asset give the world an instance of their own.
    """

    def __init__(
        self,
        root: Path,
        spec: ModelSpec,
        lake: Lake | None = None,
        landing: Landing | None = None,
        store: Path | None = None,
        instance: dg.DagsterInstance | None = None,
    ):
        self.root, self.spec = root, spec
        self.landing = landing or Landing(uri=str(root / "landing"))
        self.lake = lake or Lake(uri=str(root / "lake"))
        self.deploy_target = DeployTarget(uri=str(root / "production"))
        self.store = store or root
        uri = f"sqlite:///{self.store / 'mlflow.db'}"
        self.registry, self.tracking = ModelRegistry(tracking_uri=uri), ExperimentTracking(tracking_uri=uri)
        self.events: list[dg.EventLogEntry] = []
        self.instance = instance or _instance_in_memory()

    def copy(self, root: Path) -> "World":
        """Copy the world to another directory, to be changed there; artifacts of MLflow are shared."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return World(root, self.spec)

    def land(self, which: date, rows: pd.DataFrame | bytes, name: str = "rows.parquet") -> None:
        """Land one file of a day."""
        self.land_at(f"{which}/{name}", rows)

    def land_at(self, key: str, rows: pd.DataFrame | bytes) -> None:
        """Land one file under a key, in the format of its suffix."""
        content = rows
        if isinstance(rows, pd.DataFrame):
            buffer = io.BytesIO()
            if key.endswith(".csv"):
                rows.to_csv(buffer, index=False)
            else:
                rows.to_parquet(buffer)
            content = buffer.getvalue()
        assert isinstance(content, bytes)
        open_objects(self.landing.uri, self.landing.s3).write(key, content)

    def remove(self, which: date, name: str = "rows.parquet") -> None:
        """Remove a landed file."""
        (self.root / "landing" / str(which) / name).unlink()

    def run(
        self, names: list[str], first: date, last: date | None = None, succeed: bool = True
    ) -> dg.ExecuteInProcessResult:
        """Materialize assets for the days from `first` to `last`, or for the single day `first`."""
        result = self.materialize(names, tags_of(first, last))
        assert result.success == succeed, [
            event.step_failure_data.error for event in result.all_events if event.is_step_failure
        ]
        return result

    def materialize(
        self, names: list[str], tags: dict[str, str], ops: Mapping[str, Any] | None = None, log_level: str = "CRITICAL"
    ) -> dg.ExecuteInProcessResult:
        """Materialize assets in a run with tags and a configuration of its ops."""
        if self.instance is _instance_in_memory():
            self.instance.event_log_storage.store_event = self.events.append
        if "model_registry_entry" in names and not (self.store / "mlflow.db").exists():
            new_store(self.store)
        return dg.materialize(
            assets_of(self.spec),
            selection=[asset_key(self.spec, name) for name in names],
            tags=tags,
            instance=self.instance,
            resources=self.resources(),
            run_config={"ops": dict(ops or {}), "loggers": {"console": {"config": {"log_level": log_level}}}},
            raise_on_error=False,
        )

    def resources(self) -> dict[str, Any]:
        """Return the resources that its assets require."""
        return {
            "lake": self.lake,
            "landing": self.landing,
            "registry": self.registry,
            "tracking": self.tracking,
            "deploy_target": self.deploy_target,
        }

    def events_of(self, result: dg.ExecuteInProcessResult) -> list[dg.EventLogEntry]:
        """Return all events of a run, in their order."""
        return [entry for entry in self.events if entry.run_id == result.run_id]

    def stages(self) -> Stages:
        """Open the stages, to read what is committed."""
        return open_stages(self.spec, Lake(uri=self.lake.uri, s3=self.lake.s3), self.landing, self.registry)

    def releases(self) -> Releases:
        """Open the releases of the model."""
        return Releases(self.lake, self.registry, self.deploy_target, self.spec.name)

    def promote(self, number: int) -> None:
        """Make a version in the registry the champion."""
        releases = self.releases()
        state = releases.state()
        (version,) = (version for version in releases.versions() if version.number == number)
        releases.release(state, Move("promote", promote(state, version), version.day, "a test", "it was asked for", {}))

    def commits(self) -> dict[str, int]:
        """Return the version of every Delta table."""
        stages = self.stages()
        with_tables = (
            stages.ingestion,
            stages.validation,
            stages.features,
            stages.training,
            stages.evaluation,
            stages.registration,
        )
        return {name: table.version() for stage in with_tables for name, table in stage.tables.items()}


def computed(result: dg.ExecuteInProcessResult, name: str) -> list[date]:
    """List the days of an asset that a run gave other rows; it reports the others as unchanged."""
    outcomes = {day: metadata["outcome"].value for day, metadata in _metadata_by_day(result, name).items()}
    assert set(outcomes.values()) <= {"computed", "unchanged", "not made"}
    return sorted(day for day, outcome in outcomes.items() if outcome == "computed")


def again(result: dg.ExecuteInProcessResult, name: str) -> list[date]:
    """List the days of an asset that a run made: those that it computed, and those that came out the same."""
    same = [day for day, metadata in _metadata_by_day(result, name).items() if "made_again" in metadata]
    return sorted([*computed(result, name), *same])


def _metadata_by_day(result: dg.ExecuteInProcessResult, name: str) -> dict[date, Mapping[str, Any]]:
    materializations = [
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    ]
    return {
        date.fromisoformat(materialization.partition or ""): materialization.metadata
        for materialization in materializations
        if materialization.asset_key.path[-1] == name
    }


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Return the message of the failed step of a run."""
    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert event.step_failure_data.user_failure_data is not None
    return event.step_failure_data.user_failure_data.description or ""


def check(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    """Return the evaluation of one asset check in a run."""
    (named,) = [evaluation for evaluation in result.get_asset_check_evaluations() if evaluation.check_name == name]
    return named


def failed_by_day(result: dg.ExecuteInProcessResult) -> dict[date, set[str]]:
    """List the checks that failed on each day, from the tables by day of their results."""
    failed: dict[date, set[str]] = {}
    for evaluation in result.get_asset_check_evaluations():
        table = evaluation.metadata["by_day"]
        assert isinstance(table, dg.TableMetadataValue)
        for record in table.records:
            if record.data["verdict"] == "failed":
                failed.setdefault(date.fromisoformat(str(record.data["day"])), set()).add(evaluation.check_name)
    return failed
