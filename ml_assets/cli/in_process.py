"""Runs of a job in this process: some assets over days that follow each other, and why a run failed."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.assets import asset_key

if TYPE_CHECKING:
    import dagster as dg


class RunFailed(Exception):
    """A run failed; the message says at which step and why."""


def run_days(
    job: "dg.JobDefinition", instance: "dg.DagsterInstance", spec: ModelSpec, names: Sequence[str], days: Sequence[date]
) -> "dg.ExecuteInProcessResult":
    """Materialise assets in one run over days that follow each other.

    Args:
        job: the job.
        instance: where the run is kept.
        spec: the model's specification.
        names: names of the assets.
        days: the days, ascending, without a gap.

    Raises:
        RunFailed: when it does.
    """
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[asset_key(spec, name) for name in names],
        tags=_partition_tags(days),
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
    )
    if not result.success:
        raise RunFailed(_why_failed(result))
    return result


def _partition_tags(days: Sequence[date]) -> dict[str, str]:
    from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG

    if len(days) == 1:
        return {PARTITION_NAME_TAG: days[0].isoformat()}
    return {ASSET_PARTITION_RANGE_START_TAG: days[0].isoformat(), ASSET_PARTITION_RANGE_END_TAG: days[-1].isoformat()}


def _why_failed(result: "dg.ExecuteInProcessResult") -> str:
    failures = [event for event in result.all_events if event.is_step_failure]
    reasons = [f"{event.step_key}: {_root_cause(event.step_failure_data)}" for event in failures]
    return "\n".join([f"run {result.run_id} failed; `make ui` shows all of it", *reasons])


def _root_cause(failure: Any) -> str:
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.to_string() if error is not None else "unknown error"
