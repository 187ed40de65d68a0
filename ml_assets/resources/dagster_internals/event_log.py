"""Dagster's SQLite event log with connections that stay open: the same files and tables in a fraction of the time.

Reason: Dagster's storage creates an engine and a connection for each statement, so each statement is compiled again and
each event waits for the disk several times; docs/decisions.md has the measurements. Public API that would replace it: a
pooled SQLite event log whose `store_event_batch` stores a batch in one transaction.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, create_engine, event, func, select

from ml_assets.resources.dagster_internals.configurable_class import ConfigurableClassData
from ml_assets.resources.dagster_internals.home_files import home_lock
from ml_assets.resources.dagster_internals.sqlite_storages import LockedStorage

if TYPE_CHECKING:
    from dagster import DagsterInstance, EventLogEntry

MAX_OPEN_ENGINES = 8


class PooledSqliteEventLogStorage(LockedStorage, SqliteEventLogStorage):
    """Event log of a local instance, in `history/runs` under the directory of the instance, like Dagster's default.

    The `MAX_OPEN_ENGINES` last used engines stay open; each run has a file of its own. Commits wait for the disk at
    checkpoints only (WAL with synchronous = NORMAL): a killed process loses nothing, and a power cut may lose the last
    events but never damages a file.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None):
        super().__init__(inst_data)
        self._engines: OrderedDict[str, Engine] = OrderedDict()

    def register_instance(self, instance: "DagsterInstance") -> None:
        """Open the files under the directory of the instance, which is known only now."""
        with home_lock(Path(instance.root_directory)):
            folder = Path(instance.root_directory) / "history" / "runs"
            SqliteEventLogStorage.__init__(self, str(folder), self._inst_data)
        super().register_instance(instance)

    def store_event_batch(self, events: Sequence["EventLogEntry"]) -> None:
        """Store the events of a run in one transaction for each file, where Dagster uses several for each event.

        Dagster passes batches if DAGSTER_EVENT_BATCH_SIZE is set, and the same events one by one if a batch fails.
        """
        asset_events = [event for event in events if event.dagster_event_type in ASSET_EVENTS]
        if asset_events:
            rows = [self._event_to_row(event) for event in asset_events]
            (run_id,) = {event.run_id for event in asset_events}
            with self._connect(INDEX_SHARD_NAME) as index, self._engine(run_id).begin() as run_shard:
                run_shard.execute(SqlEventLogStorageTable.insert(), rows)
                index.execute(SqlEventLogStorageTable.insert(), rows)
                # The transaction excludes other writers from its first row on, so its identifiers are consecutive.
                last = index.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar_one()
                identifiers = range(last - len(rows) + 1, last + 1)
                self._store_asset_event_tags(index, asset_events, identifiers)
                newest = {
                    event.get_dagster_event().asset_key: (event, number)
                    for event, number in zip(asset_events, identifiers, strict=True)
                }
                for event, number in newest.values():
                    self._store_asset_event(index, event, number)
        for event in events:
            if event.dagster_event_type not in ASSET_EVENTS:
                self.store_event(event)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines or not Path(self.path_for_shard(shard)).exists():
            engine = create_engine(
                self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
            )
            event.listen(engine, "connect", _sync_at_checkpoints_only)
            if shard not in self._initialized_dbs or not Path(self.path_for_shard(shard)).exists():
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            self._engines[shard] = engine
            while len(self._engines) > MAX_OPEN_ENGINES:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def dispose(self) -> None:
        """Close every connection."""
        while self._engines:
            self._engines.popitem()[1].dispose()
        super().dispose()


def _sync_at_checkpoints_only(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
