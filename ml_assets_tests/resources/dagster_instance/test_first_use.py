"""Processes that use new places at the same time create each of them once, and all of them can work."""

import sqlite3
from contextlib import closing, suppress
from datetime import date
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pyarrow as pa
import pytest

from ml_assets.core.release.release_state import Release, Version, promote
from ml_assets.definitions import DEFS
from ml_assets.resources.dagster_instance.home import open_instance
from ml_assets.resources.dagster_internals.home_files import damaged_files
from ml_assets.resources.databases.creation_lock import CreationLocked, creation_lock
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.connection import connect
from ml_assets.resources.mlflow.experiments import ensure_experiment
from ml_assets.resources.notifications.database import NotificationDatabase
from ml_assets.resources.probes.state_probe import find_damaged_lake
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.ledger import Ledger, LedgerConflict
from ml_assets_tests.resources.release.release_cases import move
from ml_assets_tests.support.forkserver import CONTEXT

DAY = date(2025, 1, 1)
SCHEMA = pa.schema([("n", pa.int64())])


def use_all(root: Path, number: int, start: Barrier, results) -> None:
    """Use each place for the first time, at the same moment as the other processes; report what failed."""
    problems = []
    for name, use in PLACES.items():
        start.wait(120)
        try:
            use(root, number)
        except BaseException as error:
            problems.append(f"{name}: {type(error).__name__}: {error}"[:300])
    results.put(problems)


def use_home(root: Path, _: int) -> None:
    with open_instance(str(root / "dagster")) as instance:
        assert instance.get_runs() == []


def use_home_as_dagster_does(root: Path, _: int) -> None:
    """Open the instance without our commands, as `dagster dev`, the daemon and the webserver do."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(root / "started-by-dagster")) as instance:
        assert instance.get_runs() == []
        assert instance.all_instigator_state() == []


def use_mlflow(root: Path, number: int) -> None:
    from mlflow.exceptions import MlflowException

    uri = f"sqlite:///{root}/mlflow.db"
    client = connect(uri)
    experiment = ensure_experiment(client, "m", uri, None)
    client.create_run(experiment.experiment_id, run_name=str(number))
    try:
        client.create_registered_model("m")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def use_table(root: Path, number: int) -> None:
    day = date(2025, 1, 1 + number)
    Lake(uri=str(root / "lake")).table("m", "numbers", SCHEMA).commit({day: pa.table({"n": [1]}, SCHEMA)}, {day: 7})


def use_ledger(root: Path, number: int) -> None:
    version = Version(number, "digest", DAY)
    with suppress(LedgerConflict):
        Ledger(Lake(uri=str(root / "lake")), "m").append(Release(), move("promote", promote(Release(), version)))


def use_notifications(root: Path, _: int) -> None:
    with NotificationDatabase(f"sqlite:///{root}/notifications.db").transaction():
        pass


def use_deploy_target(root: Path, number: int) -> None:
    files = {"model.ubj": {"path": f"{number}/model.ubj"}}
    metadata = {"model": "m", "model_digest": str(number), "files": files}
    target = DeployTarget(uri=str(root / "deploy"))
    target.publish(metadata, {"model.ubj": b"x"})
    assert target.published("m") is not None


PLACES = {
    "home": use_home,
    "home opened by Dagster": use_home_as_dagster_does,
    "MLflow": use_mlflow,
    "table": use_table,
    "ledger": use_ledger,
    "notifications": use_notifications,
    "deploy target": use_deploy_target,
}


@pytest.mark.parametrize("processes", [3, *(pytest.param(8, marks=pytest.mark.slow, id=f"8-{n}") for n in (1, 2, 3))])
def test_processes_use_every_place_for_the_first_time_together(tmp_path: Path, processes: int):
    for home in ("dagster", "started-by-dagster"):
        (tmp_path / home).mkdir()
        (tmp_path / home / "dagster.yaml").symlink_to(DEFS.parent / "resources/dagster_instance/dagster.yaml")
    start, results = CONTEXT.Barrier(processes), CONTEXT.SimpleQueue()
    started = [CONTEXT.Process(target=use_all, args=(tmp_path, n, start, results)) for n in range(processes)]
    for process in started:
        process.start()
    assert [problem for _ in started for problem in results.get()] == []
    for process in started:
        process.join(60)
    for home in ("dagster", "started-by-dagster"):
        assert damaged_files(tmp_path / home, thorough=True) == []
        for file in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"):
            with closing(sqlite3.connect(tmp_path / home / file)) as database:
                assert len(database.execute("SELECT * FROM alembic_version").fetchall()) == 1
    client = connect(f"sqlite:///{tmp_path}/mlflow.db")
    assert sorted(experiment.name for experiment in client.search_experiments()) == ["Default", "m"]
    assert [model.name for model in client.search_registered_models()] == ["m"]
    lake = Lake(uri=str(tmp_path / "lake"))
    assert len(lake.table("m", "numbers", SCHEMA).row_counts()) == processes
    assert len(Ledger(lake, "m").rows()) == 1
    assert find_damaged_lake(lake, "m") == []


def test_a_lock_file_that_remains_locks_nothing(tmp_path):
    (tmp_path / ".creation.lock").touch()
    with creation_lock(tmp_path, timeout=0.1), creation_lock(tmp_path, timeout=0.1):
        pass


def test_a_process_that_creates_for_too_long_is_named(tmp_path):
    import fcntl

    with (tmp_path / ".creation.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        message = "another process has been creating files in"
        with pytest.raises(CreationLocked, match=message), creation_lock(tmp_path, timeout=0.1):
            pass
    with creation_lock(tmp_path, timeout=0.1):
        pass


def test_a_home_whose_creation_was_killed_before_it_had_tables_is_completed(tmp_path):
    (tmp_path / "history" / "runs").mkdir(parents=True)
    (tmp_path / "history" / "runs.db").touch()
    (tmp_path / "dagster.yaml").symlink_to(DEFS.parent / "resources/dagster_instance/dagster.yaml")
    with open_instance(str(tmp_path)) as instance:
        assert instance.get_runs() == []
