"""Damage of files: garbage, cut off, empty, gone; and a small world with every state file."""

import hashlib
import json
import re
import shlex
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa

from ml_assets.core.release.release_state import Release, Version, promote
from ml_assets.definitions import DEFS
from ml_assets.pipeline.engine.run_markers import RunMarkers
from ml_assets.pipeline.validation.corrections import Corrections
from ml_assets.resources.dagster_instance.home import open_instance
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.notifications.database import NotificationDatabase
from ml_assets.resources.probes.state_probe import find_damaged_home, find_damaged_lake
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.ledger import Ledger
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store
from ml_assets_tests.resources.release.release_cases import move

MODEL, DAY = "m", date(2025, 1, 1)
SCHEMA = pa.schema([("n", pa.int64())])
FEED = SimpleNamespace(name=MODEL, event_time="at")
COMMIT = "{:020}.json"


def garbage(file: Path) -> None:
    """Replace the content by other bytes."""
    file.write_bytes(b"no content of this kind " * 300)


def cut_off(file: Path) -> None:
    """Cut the file off in the middle."""
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def empty(file: Path) -> None:
    """Cut everything off."""
    file.write_bytes(b"")


def gone(file: Path) -> None:
    """Remove the file."""
    file.unlink()


def two_revisions(file: Path) -> None:
    """Leave what two processes leave that create the same tables at once."""
    _execute(file, "INSERT INTO alembic_version VALUES ('0123456789ab')")


def without_table(table: str) -> Callable[[Path], None]:
    """Return a damage that drops a table."""

    def drop(file: Path) -> None:
        _execute(file, "PRAGMA foreign_keys = OFF", f"DROP TABLE {table}")

    drop.__name__ = f"without_{table}"
    return drop


def _execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


class StateWorld:
    """A directory with every state file, for one model."""

    def __init__(self, root: Path):
        self.root, self.home = root, root / "dagster"
        self.lake = Lake(uri=str(root / "lake"))
        self.target = DeployTarget(uri=str(root / "deploy"))

    def create(self) -> None:
        """Create every file."""
        self.home.mkdir(parents=True)
        (self.home / "dagster.yaml").write_text((DEFS.parent / "resources/dagster_instance/dagster.yaml").read_text())
        with open_instance(str(self.home)) as instance:
            _job().execute_in_process(instance=instance)
        table = self.lake.table(MODEL, "numbers", SCHEMA)
        for number in range(12):
            table.commit({DAY: pa.table({"n": [number]}, SCHEMA)}, {DAY: number + 1})
        ledger = Ledger(self.lake, MODEL)
        ledger.append(Release(), move("promote", promote(Release(), Version(1, "digest", DAY))))
        RunMarkers(self.lake, MODEL, "features").begin("run", [DAY])
        content = b'{"n": 1}\n'
        name = f"1-{hashlib.sha256(content).hexdigest()}.jsonl"
        Corrections(self.lake, FEED).write({DAY: (name, content)})  # type: ignore[arg-type]
        new_store(self.root)
        with self.notifications().transaction():
            pass
        self.target.publish(
            {"model": MODEL, "model_digest": "d", "files": {"model.ubj": {"path": "d/model.ubj"}}}, {"model.ubj": b"x"}
        )

    def notifications(self) -> NotificationDatabase:
        """Return the database of notifications."""
        return NotificationDatabase(f"sqlite:///{self.home / 'notifications.db'}")

    def files(self) -> Mapping[str, Path]:
        """Return the file of each kind of state."""
        log, lake = self.root / "lake" / MODEL / "numbers" / "_delta_log", self.root / "lake" / MODEL
        return {
            "table": log / COMMIT.format(12),
            "release_ledger": lake / "release_ledger" / "_delta_log" / COMMIT.format(1),
            "run_marker": lake / "unfinished_runs" / "features" / "run.json",
            "corrections": next((lake / "corrections").rglob("*.jsonl")),
            "removed_corrections": next((lake / "corrections").rglob("*.jsonl")),
            "mlflow": self.root / "mlflow.db",
            "runs": self.home / "history" / "runs.db",
            "event_index": self.home / "history" / "runs" / "index.db",
            "run_events": next(path for path in (self.home / "history" / "runs").glob("*.db") if path.stem != "index"),
            "schedules": self.home / "schedules" / "schedules.db",
            "notifications": self.home / "notifications.db",
            "dagster_yaml": self.home / "dagster.yaml",
            "deploy_manifest": self.root / "deploy" / MODEL / "metadata.json",
        }

    def use(self, kind: str) -> str | None:
        """Use a kind of state as the pipeline does; return the message of a damage that is reported, not raised."""
        match kind:
            case "table":
                self.lake = Lake(uri=self.lake.uri)
                self.lake.table(MODEL, "numbers", SCHEMA).fingerprint(DAY)
            case "release_ledger":
                Ledger(self.lake, MODEL).rows()
            case "run_marker":
                RunMarkers(self.lake, MODEL, "features").unfinished_days()
            case "corrections":
                Corrections(self.lake, FEED).read(DAY)  # type: ignore[arg-type]
            case "removed_corrections":
                return next(iter(find_damaged_lake(self.lake, MODEL)), None)
            case "mlflow":
                connect(f"sqlite:///{self.root}/mlflow.db")
            case "notifications":
                with self.notifications().transaction():
                    pass
            case "run_events":
                return next(iter(find_damaged_home(self.home)), None)
            case "deploy_manifest":
                return self.target.damage(MODEL)
            case _:
                with open_instance(str(self.home)):
                    pass
        return None


def carry_out_remedy(message: str) -> str:
    """Run the first command of the shell that a message names; return it."""
    command = next(text for text in re.findall(r"`([^`]+)`", message) if text.split()[0] in ("mv", "rm", "touch"))
    subprocess.run(shlex.split(command), check=True)
    return command


def write_manifest_again(world: StateWorld) -> None:
    """Do what `ml-assets releases` does to a damaged manifest."""
    (world.root / "deploy" / MODEL / "metadata.json").write_text(
        json.dumps({"model_digest": "d", "files": {"model.ubj": {"path": "d/model.ubj"}}})
    )


def _job():
    import dagster as dg

    @dg.op
    def nothing() -> None: ...

    @dg.job
    def a_job():
        nothing()

    return a_job
