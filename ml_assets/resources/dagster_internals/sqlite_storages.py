"""Dagster's SQLite storages of runs and of schedules, created under a lock.

Reason: two processes that open a new instance at the same time create the tables and their revision twice, which leaves
files with two revisions that no process can open. Every process of an instance opens it through these storages.
Public API that would replace it: a lock in Dagster's SQLite storages.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage

from ml_assets.core.kubernetes.pod_spec import SHARES_POD
from ml_assets.resources.dagster_internals.configurable_class import ConfigurableClassData
from ml_assets.resources.dagster_internals.home_files import RUNS_FILE, SCHEDULES_FILE, home_lock

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

# Tags of runs that matter only in a cluster: the pod of the run, and whether steps share it.
POD_TAGS = ("dagster-k8s/config", SHARES_POD)


class LockedStorage:
    """The common base of the storages: there is nothing to configure, and the files lie in the directory of the
    instance.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None):
        self._inst_data = inst_data

    @classmethod
    def config_type(cls) -> Any:
        """Return an empty schema."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Return the storage that `dagster.yaml` names."""
        return cls(inst_data)


class LockedSqliteRunStorage(LockedStorage, SqliteRunStorage):
    """Runs of a local instance, in `history/runs.db` under its directory, like Dagster's default."""

    def register_instance(self, instance: "DagsterInstance") -> None:
        """Open the file under the directory of the instance, which is known only now."""
        open_storage(self, SqliteRunStorage.from_local, Path(instance.root_directory), RUNS_FILE)
        super().register_instance(instance)

    def add_run(self, dagster_run: "DagsterRun", *args: Any, **kwargs: Any) -> "DagsterRun":
        """Store a run without the tags of its pod: runs of a local instance have none, and the UI would show them in
        every list of runs.
        """
        tags = {name: value for name, value in dagster_run.tags.items() if name not in POD_TAGS}
        return super().add_run(dagster_run.with_tags(tags), *args, **kwargs)


class LockedSqliteScheduleStorage(LockedStorage, SqliteScheduleStorage):
    """Schedules and sensors of a local instance, in `schedules/schedules.db` under its directory."""

    def register_instance(self, instance: "DagsterInstance") -> None:
        """Open the file under the directory of the instance, which is known only now."""
        open_storage(self, SqliteScheduleStorage.from_local, Path(instance.root_directory), SCHEDULES_FILE)
        super().register_instance(instance)


def open_storage(storage: Any, create: Callable[..., Any], home: Path, file: str) -> None:
    """Create a file unless it exists, under the lock of the home, and let a storage use it."""
    with home_lock(home):
        created = create(str((home / file).parent))
    vars(storage).update({name: value for name, value in vars(created).items() if name != "_inst_data"})
