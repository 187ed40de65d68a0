"""Damaged databases of state: the reason of a database error, or of a problem that the doctor looks for."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from ml_assets.core.operations.failures.classification import chain
from ml_assets.core.operations.failures.damaged_state import (
    GONE,
    MLFLOW,
    MOVED_AWAY,
    NOTIFICATIONS,
    REMOVED_CORRECTIONS,
    DamagedState,
)
from ml_assets.resources.dagster_internals.home_files import damaged_files, tables_by_file
from ml_assets.resources.databases.sqlite_file import RefusedFile, find_damage, find_refusal
from ml_assets.resources.lake.delta_transactions import Transactions
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.new_table import open_table
from ml_assets.resources.mlflow.connection import sqlite_path
from ml_assets.resources.mlflow_internals.empty_store import store_tables
from ml_assets.resources.storage.correction_notes import CORRECTIONS, NOTES, find_removed
from ml_assets.resources.storage.run_marker import UNFINISHED_RUNS, read_marker
from ml_assets.resources.storage.segments import FOLDER as SEGMENTS

NOTIFICATIONS_FILE = "notifications.db"


def explain_database_error(
    error: BaseException, home: str | None, mlflow: str | None
) -> DamagedState | RefusedFile | None:
    """Return the SQLite files that caused a database error, because they are damaged or this user may not use them;
    None if there are none.

    Args:
        error: the error, with its chain of causes.
        home: directory of the Dagster instance; None when it has no SQLite files.
        mlflow: URI of MLflow's store; None when it is not known.
    """
    if not any(_is_of_sqlite(link) for link in chain(error)):
        return None
    messages = [*(find_damaged_home(Path(home)) if home else ()), *(find_damaged_mlflow(mlflow) if mlflow else ())]
    if not messages and (refusals := _find_refusals(home, mlflow)):
        return RefusedFile("\n".join(refusals))
    return DamagedState("\n".join(messages)) if messages else None


def _find_refusals(home: str | None, mlflow: str | None) -> list[str]:
    files = [Path(home) / file for file in (*tables_by_file(), NOTIFICATIONS_FILE)] if home else []
    files += [path] if mlflow and (path := sqlite_path(mlflow)) else []
    return [refusal for path in files if path.exists() and (refusal := find_refusal(path))]


def find_damaged_home(home: Path) -> list[str]:
    """Return a message for each SQLite file of a Dagster home that is damaged or missing."""
    notifications = home / NOTIFICATIONS_FILE
    reason = find_damage(notifications, thorough=True) if notifications.exists() else None
    return [
        *damaged_files(home, thorough=True),
        *([NOTIFICATIONS.explain(notifications, reason)] if reason else []),
    ]


def find_damaged_mlflow(uri: str) -> list[str]:
    """Return a message if the SQLite file of MLflow's store is damaged."""
    path = sqlite_path(uri)
    if path is None or not path.exists() or path.stat().st_size == 0:
        return []
    reason = find_damage(path, store_tables(), thorough=True)
    return [MLFLOW.explain(path, reason)] if reason else []


def find_damaged_lake(lake: Lake, model: str) -> list[str]:
    """Return a message for each table of a model whose log is damaged or lost, for each damaged marker of a run, and
    for each file of corrected rows that somebody removed. Tables that somebody moved away are left out.
    """
    messages = []
    keys_by_folder: dict[str, list[str]] = {}
    for key in lake.files.keys(f"{model}/"):
        folder, _, path = key.removeprefix(f"{model}/").partition("/")
        keys_by_folder.setdefault(folder, []).append(path)
    for folder, paths in keys_by_folder.items():
        is_table = any(path.startswith("_delta_log/") or path.endswith(".parquet") for path in paths)
        # Segments of served requests are Parquet files without a table.
        if is_table and folder != SEGMENTS and not folder.endswith(MOVED_AWAY):
            messages += _find_damaged_log(lake, model, folder, paths)
    for path in keys_by_folder.get(UNFINISHED_RUNS, ()):
        key = f"{model}/{UNFINISHED_RUNS}/{path}"
        try:
            read_marker(lake.files, lake.uri, key)
        except DamagedState as damaged:
            messages.append(str(damaged))
    for path in find_removed(keys_by_folder.get(NOTES, ()), keys_by_folder.get(CORRECTIONS, ())):
        corrections, note = (f"{lake.uri.rstrip('/')}/{model}/{folder}/{path}" for folder in (CORRECTIONS, NOTES))
        messages.append(REMOVED_CORRECTIONS.explain(corrections, GONE, model, note=note))
    return messages


def _find_damaged_log(lake: Lake, model: str, folder: str, paths: Sequence[str]) -> list[str]:
    try:
        uri, options = lake.location(model, folder)
        if (table := open_table(uri, options, lambda: paths)) is not None:
            Transactions(table, lambda path: lake.files.read(f"{model}/{folder}/{path}"), uri).days()
    except DamagedState as damaged:
        return [str(damaged)]
    return []


def _is_of_sqlite(error: BaseException) -> bool:
    return isinstance(error, sqlite3.DatabaseError) or isinstance(getattr(error, "orig", None), sqlite3.DatabaseError)
