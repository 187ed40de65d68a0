"""The time and cost of a plan, from the costs of days that were computed before."""

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.backfill_estimate import BackfillEstimate, estimate_backfill
from ml_assets.pipeline.observability.step_costs import open_costs
from ml_assets.pipeline.planning.backfill_plan import Plan
from ml_assets.resources.lake.lake import Lake

# About two years of daily runs, or sixty days of a backfill twenty times.
ROWS_READ = 10_000


def estimate_plan(spec: ModelSpec, lake: Lake, plan: Plan) -> BackfillEstimate:
    """Estimate the duration and cost of a plan.

    Args:
        spec: the model.
        lake: the lake with the table of costs.
        plan: the plan.

    Raises:
        LakeError: when the table cannot be read.
    """
    to_make = {stage.name: len(stage.to_make) for stage in plan.stages}
    measured = open_costs(spec, lake).newest(ROWS_READ).to_pylist() if any(to_make.values()) else []
    return estimate_backfill(measured, to_make, max((len(run) for run in plan.runs), default=1))
