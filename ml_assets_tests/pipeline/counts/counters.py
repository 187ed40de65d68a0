"""Counters of one run: what MLflow's store, lake and landing, charts and Dagster were asked for."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from deltalake import DeltaTable
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from ml_assets.core.plots.chart import Chart
from ml_assets.resources.storage.directory import Directory
from ml_assets_tests.pipeline.world import World

COUNTED = (
    "MLflow statements",
    "MLflow commits",
    "MLflow artifact files",
    "lake tables opened or refreshed",
    "lake tables committed",
    "lake files listed, read, written or deleted",
    "lake files written",
    "lake bytes read",
    "landing bytes read",
    "plots",
    "check evaluations",
    "Dagster events",
)
REQUESTS = ("_list", "read", "write", "delete")


@contextmanager
def count(world: World) -> Iterator[Counter[str]]:
    """Count what happens in a world until the block ends.

    Files and bytes are those that Python asks for; delta-rs reads and writes the logs of tables itself, which is
    counted as tables opened, refreshed and committed. Events are those that the world's instance stored.
    """
    counter: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    event_number, artifacts, commits = len(world.events), _artifacts(world), _commits(world)
    with ExitStack() as stack:
        stack.enter_context(_statements(world.store / "mlflow.db", counter))
        for name in REQUESTS:
            stack.enter_context(_files(name, world, counter))
        for owner, name, counted in (
            (DeltaTable, "__init__", "lake tables opened or refreshed"),
            (DeltaTable, "update_incremental", "lake tables opened or refreshed"),
            (Chart, "svg", "plots"),
        ):
            stack.enter_context(_calls(owner, name, counted, counter))
        yield counter
    counter["MLflow artifact files"] = len(_artifacts(world) - artifacts)
    counter["lake tables committed"] = len(_commits(world) - commits)
    entries = world.events[event_number:]
    counter["Dagster events"] = len(entries)
    counter["check evaluations"] = sum(
        entry.dagster_event is not None and entry.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
        for entry in entries
    )


def _calls(owner: object, name: str, counted: str, counter: Counter[str]):
    function = getattr(owner, name)

    def count_call(*arguments: object, **named: object) -> object:
        counter[counted] += 1
        return function(*arguments, **named)

    return patch.object(owner, name, count_call)


def _files(name: str, world: World, counter: Counter[str]):
    function = getattr(Directory, name)

    def count_request(directory: Directory, *arguments: object) -> object:
        result = function(directory, *arguments)
        is_lake = directory.root == world.root / "lake"
        counter["lake files listed, read, written or deleted"] += is_lake
        counter["lake files written"] += is_lake and name == "write"
        if name == "read":
            counter["lake bytes read"] += is_lake * len(result)
            counter["landing bytes read"] += (directory.root == world.root / "landing") * len(result)
        return result

    return patch.object(Directory, name, count_request)


@contextmanager
def _statements(database: Path, counter: Counter[str]) -> Iterator[None]:
    def is_store(connection: Connection) -> bool:
        return connection.engine.url.database == str(database)

    def count_statement(connection: Connection, *_: object) -> None:
        counter["MLflow statements"] += is_store(connection)

    def count_commit(connection: Connection) -> None:
        counter["MLflow commits"] += is_store(connection)

    event.listen(Engine, "before_cursor_execute", count_statement)
    event.listen(Engine, "commit", count_commit)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count_statement)
        event.remove(Engine, "commit", count_commit)


def _artifacts(world: World) -> set[Path]:
    return {path for path in world.store.glob("mlartifacts/**/*") if path.is_file()}


def _commits(world: World) -> set[Path]:
    return set((world.root / "lake").glob("**/_delta_log/*.json"))
