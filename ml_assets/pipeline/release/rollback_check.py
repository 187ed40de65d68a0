"""The check that tells in the UI that a canary was rolled back."""

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
    """The check of deployment, where models go live as a canary."""
    about = "Warns when the challenger was rolled back on a day; the champion is live for everybody again, and the reason says which figure it was."
    return [dg.AssetCheckSpec(NOT_ROLLED_BACK, asset=key, description=about)] if spec.deployment.canary else []


def evaluate_rollbacks(
    spec: ModelSpec, stage: "ModelDeployment", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """What the check finds on the days of a run: nothing to judge where no canary was running."""
    if spec.deployment.canary is None:
        return
    rows = {day: row for day in days if (row := stage.row(day)) is not None}
    found = []
    for day, row in rows.items():
        passed = False if row["outcome"] == "rollback" else None if row["outcome"] == "none" else True
        found.append(CheckOutcome(NOT_ROLLED_BACK, day, passed, row["reason"], "warn"))
    yield CheckRun(key, NOT_ROLLED_BACK, found)
