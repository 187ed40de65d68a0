"""The local event log stores the same as Dagster's own, with open connections that follow the files."""

import json
import sqlite3
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from ml_assets.resources.dagster_internals.event_log import MAX_OPEN_ENGINES, PooledSqliteEventLogStorage


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2025-01-01"), backfill_policy=dg.BackfillPolicy.single_run())
def daily(context: dg.AssetExecutionContext) -> None:
    context.add_asset_metadata({"n": 1}, partition_key="2025-01-02")


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    return open_instance(tmp_path)


def open_instance(home: Path) -> dg.DagsterInstance:
    (home / "dagster.yaml").write_text(
        "event_log_storage:\n  module: ml_assets.resources.dagster_internals.event_log\n  class: "
        "PooledSqliteEventLogStorage\n"
        "  config: {}\ntelemetry: {enabled: false}\n"
    )
    return dg.DagsterInstance.from_config(str(home))


def materialize(instance: dg.DagsterInstance) -> str:
    tags = {"dagster/asset_partition_range_start": "2025-01-01", "dagster/asset_partition_range_end": "2025-01-03"}
    return dg.materialize([daily], instance=instance, tags=tags).run_id


def test_events_of_a_run_are_stored_and_dagsters_own_storage_reads_them(instance, tmp_path):
    run_id = materialize(instance)
    assert instance.get_materialized_partitions(dg.AssetKey("daily")) == {"2025-01-01", "2025-01-02", "2025-01-03"}
    own = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    assert own.get_materialized_partitions(dg.AssetKey("daily")) == {"2025-01-01", "2025-01-02", "2025-01-03"}
    messages = [entry.message for entry in instance.all_logs(run_id)]
    assert [entry.message for entry in own.get_logs_for_run(run_id)] == messages
    assert datetime.fromtimestamp(own.get_logs_for_run(run_id)[0].timestamp).year >= 2025


def test_events_stored_in_batches_are_those_stored_one_by_one(tmp_path, monkeypatch):
    (tmp_path / "one").mkdir(), (tmp_path / "many").mkdir()
    with open_instance(tmp_path / "one") as single, open_instance(tmp_path / "many") as batched:
        materialize(single)
        monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "3")
        singly, store = [], batched.event_log_storage.store_event
        monkeypatch.setattr(
            batched.event_log_storage,
            "store_event",
            lambda event: singly.append(event.dagster_event_type) or store(event),
        )
        run_id = materialize(batched)
        assert not ASSET_EVENTS & set(singly)
        assert in_index(tmp_path / "many") == in_index(tmp_path / "one")
        assert len(batched.all_logs(run_id)) == len(single.all_logs(single.get_runs()[0].run_id))
        assert batched.get_materialized_partitions(dg.AssetKey("daily")) == {"2025-01-01", "2025-01-02", "2025-01-03"}


def in_index(home: Path) -> list[list[tuple]]:
    """Return what the storage has about all runs, without times and run IDs."""
    with sqlite3.connect(home / "history" / "runs" / "index.db") as index:
        events = index.execute(
            "select id, dagster_event_type, asset_key, partition, step_key from event_logs order by id"
        ).fetchall()
        newest = json.loads(index.execute("select last_materialization from asset_keys").fetchone()[0])["storage_id"]
        tags = index.execute("select event_id, key from asset_event_tags order by event_id, key").fetchall()
    return [events, [(newest,)], tags]


@pytest.mark.slow
def test_few_connections_stay_open_however_many_runs_there_are(instance):
    storage = instance.event_log_storage
    assert isinstance(storage, PooledSqliteEventLogStorage)
    runs = [materialize(instance) for _ in range(MAX_OPEN_ENGINES + 2)]
    assert all(instance.all_logs(run_id) for run_id in runs)
    assert len(storage._engines) <= MAX_OPEN_ENGINES
    storage.dispose()
    assert instance.all_logs(runs[0])


def test_a_deleted_run_has_no_events(instance):
    run_id = materialize(instance)
    instance.delete_run(run_id)
    assert instance.all_logs(run_id) == []
