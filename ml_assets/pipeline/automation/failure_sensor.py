"""The sensor that scores with the champion and decides on the canary when the daily run of a day has failed."""

from collections.abc import Sequence
from datetime import date
from itertools import takewhile
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import FEATURES, RELEASE_ASSETS, step_name
from ml_assets.pipeline.steps.partition_tags import PARTITION, days_of, range_tags
from ml_assets.resources.lake.lake import Lake

if TYPE_CHECKING:
    from ml_assets.resources.dagster_internals.asset_jobs import UnresolvedAssetJobDefinition

WILL_RETRY = "dagster/will_retry"


def release_after_failure(
    spec: ModelSpec, daily: "UnresolvedAssetJobDefinition", release: "UnresolvedAssetJobDefinition"
) -> dg.SensorDefinition:
    """Build the sensor that runs deployment and predictions for the days of a failed daily run.

    A failed gate or training stops the daily run before these two assets. The rows of the day still have to be scored
    by the released models, and the canary still needs its decision. Nothing is requested if Dagster retries the run, or
    where the requested run would fail for the same cause: its newest days have no features, or one of these two assets
    failed itself. Of a range, only the days after the last one without features are requested.

    Args:
        spec: the model's specification.
        daily: the job whose failed runs are followed.
        release: the job that is run for their days.
    """

    @dg.run_failure_sensor(
        name=f"{spec.name}_live_after_failure",
        monitored_jobs=[daily],
        request_job=release,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Decides on the canary and scores the days of {spec.name} whose daily run failed, with the "
        "released models.",
    )
    def days_of_failed_run(context: dg.RunFailureSensorContext, lake: Lake) -> dg.RunRequest | dg.SkipReason:
        tags = context.dagster_run.tags
        if tags.get(WILL_RETRY) == "true":
            return dg.SkipReason(f"run {context.dagster_run.run_id} will be retried")
        if not (days := days_of(tags)):
            return dg.SkipReason(f"run {context.dagster_run.run_id} has no partition")
        if not (featured := _newest_with_features(spec, lake, days)):
            return dg.SkipReason(f"{days[-1]}, the newest day of run {context.dagster_run.run_id}, has no features")
        steps = {event.step_key for event in context.get_step_failure_events()}
        if failed := [name for name in RELEASE_ASSETS if step_name(spec, name) in steps]:
            return dg.SkipReason(f"{failed[0]} failed in run {context.dagster_run.run_id} itself")
        partition = {PARTITION: str(days[0])} if PARTITION in tags else range_tags(featured[0], featured[-1])
        return dg.RunRequest(run_key=context.dagster_run.run_id, tags=partition)

    return days_of_failed_run


def _newest_with_features(spec: ModelSpec, lake: Lake, days: Sequence[date]) -> list[date]:
    """Return the days after the last one whose features were not computed, ascending."""
    from ml_assets.core.tables.schemas import features_schema

    table = lake.table(spec.name, FEATURES, features_schema(spec))
    return [*takewhile(table.is_committed, reversed(days))][::-1]
