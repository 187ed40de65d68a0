"""The local event log keeps what Dagster's own keeps, with open connections that follow the files."""

from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from ml_assets.resources.event_log import MOST_OPEN, PooledSqliteEventLogStorage


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2025-01-01"), backfill_policy=dg.BackfillPolicy.single_run())
def daily(context: dg.AssetExecutionContext) -> None:
    context.add_asset_metadata({"n": 1}, partition_key="2025-01-02")


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    (tmp_path / "dagster.yaml").write_text(
        "event_log_storage:\n  module: ml_assets.resources.event_log\n  class: PooledSqliteEventLogStorage\n"
        "  config: {}\ntelemetry: {enabled: false}\n"
    )
    return dg.DagsterInstance.from_config(str(tmp_path))


def materialize(instance: dg.DagsterInstance) -> str:
    tags = {"dagster/asset_partition_range_start": "2025-01-01", "dagster/asset_partition_range_end": "2025-01-03"}
    return dg.materialize([daily], instance=instance, tags=tags).run_id


def test_events_of_a_run_are_kept_and_dagster_s_own_storage_reads_them(instance, tmp_path):
    run_id = materialize(instance)
    assert instance.get_materialized_partitions(dg.AssetKey("daily")) == {"2025-01-01", "2025-01-02", "2025-01-03"}
    own = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    assert own.get_materialized_partitions(dg.AssetKey("daily")) == {"2025-01-01", "2025-01-02", "2025-01-03"}
    ours = [entry.message for entry in instance.all_logs(run_id)]
    assert [entry.message for entry in own.get_logs_for_run(run_id)] == ours
    assert datetime.fromtimestamp(own.get_logs_for_run(run_id)[0].timestamp).year >= 2025


def test_few_connections_stay_open_however_many_runs_there_are(instance):
    storage = instance.event_log_storage
    assert isinstance(storage, PooledSqliteEventLogStorage)
    runs = [materialize(instance) for _ in range(MOST_OPEN + 2)]
    assert all(instance.all_logs(run_id) for run_id in runs)
    assert len(storage._engines) <= MOST_OPEN
    storage.dispose()
    assert instance.all_logs(runs[0])


def test_a_deleted_run_has_no_events(instance):
    run_id = materialize(instance)
    instance.delete_run(run_id)
    assert instance.all_logs(run_id) == []
