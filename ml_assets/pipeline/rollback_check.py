"""The check that tells in the UI that a canary was rolled back."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.findings import Finding
from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.check_results import Judged

if TYPE_CHECKING:
    from ml_assets.pipeline.deployment import ModelDeployment

NOT_ROLLED_BACK = "canary_not_rolled_back"


def rollback_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The check of deployment, where models go live as a canary."""
    about = "Warns when the challenger was rolled back on a day; the champion is live for everybody again, and the reason says which figure it was."
    return [dg.AssetCheckSpec(NOT_ROLLED_BACK, asset=key, description=about)] if spec.deployment.canary else []


def judge_rollbacks(spec: ModelSpec, stage: "ModelDeployment", days: Sequence[date], key: dg.AssetKey) -> Iterator[Judged]:
    """What the check finds on the days of a run: nothing to judge where no canary was running."""
    if spec.deployment.canary is None:
        return
    rows = {day: row for day in days if (row := stage.row(day)) is not None}
    found = []
    for day, row in rows.items():
        passed = False if row["outcome"] == "rollback" else None if row["outcome"] == "none" else True
        found.append(Finding(NOT_ROLLED_BACK, day, passed, row["reason"], "warn"))
    yield Judged(key, NOT_ROLLED_BACK, found)
