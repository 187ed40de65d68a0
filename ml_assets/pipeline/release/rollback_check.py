"""The check canary_not_rolled_back of deployment."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.steps.check_results import CheckRun

if TYPE_CHECKING:
    from ml_assets.pipeline.release.deployment_stage import ModelDeployment

NOT_ROLLED_BACK = "canary_not_rolled_back"


def rollback_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the check, for models that go live as a canary."""
    description = (
        "Warns when the challenger was rolled back on a day. The champion is live for all entities again; "
        "the reason names the metric."
    )
    return [dg.AssetCheckSpec(NOT_ROLLED_BACK, asset=key, description=description)] if spec.deployment.canary else []


def evaluate_rollbacks(
    spec: ModelSpec, stage: "ModelDeployment", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """Evaluate the check on the days of a run; a day without a canary is not evaluated."""
    if spec.deployment.canary is None:
        return
    rows = {day: row for day in days if (row := stage.row(day)) is not None}
    outcomes = []
    for day, row in rows.items():
        passed = False if row["outcome"] == "rollback" else None if row["outcome"] == "none" else True
        outcomes.append(CheckOutcome(NOT_ROLLED_BACK, day, passed, row["reason"], "warn"))
    yield CheckRun(key, NOT_ROLLED_BACK, outcomes)
