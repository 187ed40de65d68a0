"""Models that failed a gate, tracked in MLflow as runs with metrics, plots and reasons, without a version."""

from collections.abc import Sequence
from datetime import date

import dagster as dg

from ml_assets.pipeline.release.registration_stage import ModelRegistration
from ml_assets.resources.mlflow.rejected_models import track_rejected_model


def track_rejected_models(
    context: dg.AssetExecutionContext, registration: ModelRegistration, days: Sequence[date]
) -> None:
    """Track the model of each day that failed a gate and has no version in the registry, one MLflow run for each digest
    and day.

    Raises:
        MlflowUnavailable: when a gate failed and MLflow cannot be reached.
    """
    from ml_assets.resources.mlflow.experiments import ExperimentDeleted

    registration.refresh()
    reasons = {day: reason for day in days if (reason := registration.why_not_registered(day))}
    try:
        with context.resources.tracking.run(context, registration.spec.name) as run:
            for day, reason in reasons.items():
                run_id = track_rejected_model(registration.registry.client, run, registration.record(day))
                context.log.warning(
                    f"the model of {day} is not registered; MLflow run {run_id} has its figures; {reason}"
                )
    except ExperimentDeleted as deleted:
        # The evaluation itself is complete in the lake.
        context.log.warning(f"the models that failed a gate are not tracked in MLflow: {deleted}")
