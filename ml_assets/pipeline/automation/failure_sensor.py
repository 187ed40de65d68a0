"""What is live goes on where making a new model fails: the sensor that decides and scores the days of a daily run that
failed.
"""

from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.steps.partition_tags import PARTITION, RANGE_END, RANGE_START

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

WILL_RETRY = "dagster/will_retry"
DAYS = (PARTITION, RANGE_START, RANGE_END)


def release_after_failure(
    spec: ModelSpec, daily: "UnresolvedAssetJobDefinition", live: "UnresolvedAssetJobDefinition"
) -> dg.SensorDefinition:
    """Runs deployment and predictions for the days of a daily run that failed.

    A gate that is not passed stops the run before them, and so does a training that fails. The rows of the day are to
    be scored by what is live all the same, and a canary is to be decided upon. Nothing is done where the run will be
    tried again.
    """

    @dg.run_failure_sensor(
        name=f"{spec.name}_live_after_failure",
        monitored_jobs=[daily],
        request_job=live,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Decides and scores the days of {spec.name} whose daily run failed, with what is live.",
    )
    def days_of_failed_run(context: dg.RunFailureSensorContext) -> dg.RunRequest | dg.SkipReason:
        tags = context.dagster_run.tags
        if tags.get(WILL_RETRY) == "true":
            return dg.SkipReason(f"run {context.dagster_run.run_id} will be tried again")
        days = {name: tags[name] for name in DAYS if name in tags}
        if not days:
            return dg.SkipReason(f"run {context.dagster_run.run_id} was not of days")
        return dg.RunRequest(run_key=context.dagster_run.run_id, tags=days)

    return days_of_failed_run
