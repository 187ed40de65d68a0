"""A run whose steps share its pod: each step runs in its own process, and no Kubernetes job is submitted."""

import os

import dagster as dg
import pytest

from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.kubernetes import shared_job
from ml_assets_tests.pipeline.world import rows_of


@pytest.mark.slow
def test_steps_that_share_a_pod_run_in_separate_processes_and_commit_their_days(instance, tmp_path):
    folder = tmp_path / "landing" / "2025-01-01"
    folder.mkdir(parents=True)
    day = dg.DailyPartitionsDefinition("2025-01-01").time_window_for_partition_key("2025-01-01").start.date()
    rows_of(day).to_csv(folder / "a.csv", index=False)
    job = dg.build_reconstructable_job(shared_job.__name__, "small_features", (str(tmp_path),))
    with dg.execute_job(job, instance=instance, tags={"dagster/partition": "2025-01-01"}) as result:
        assert result.success
        events = instance.all_logs(result.run_id)
    started = [
        event.dagster_event
        for event in events
        if event.dagster_event and event.dagster_event.event_type_value == "STEP_WORKER_STARTED"
    ]
    processes = {event.step_key: event.engine_event_data.metadata["pid"].value for event in started}
    assert set(processes) == {"small__raw_data", "small__validated_data", "small__features"}
    assert len({*processes.values(), str(os.getpid())}) == 4
    lake = Lake(uri=str(tmp_path / "lake"))
    assert all(day in lake.bytes_by_day("small", asset) for asset in ("raw_data", "validated_data", "features"))
