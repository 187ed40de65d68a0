"""The check targets_in_line of deployment."""

from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.pipeline.steps.check_results import CheckRun

TARGETS_IN_LINE = "targets_in_line"


def targets_check(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """Specify the check."""
    description = (
        "Warns when MLflow or the deploy target differs from the release ledger after a run: a version, an alias or a "
        "model that somebody deleted or moved. The reason names the command that restores it."
    )
    return dg.AssetCheckSpec(TARGETS_IN_LINE, asset=key, description=description)


def evaluate_targets(differences: Sequence[str], day: date, key: dg.AssetKey) -> Iterator[CheckRun]:
    """Evaluate the check on the newest day of a run.

    Args:
        differences: the remaining differences after the release was carried out, one sentence each.
        day: the newest day of the run.
        key: the asset deployment.
    """
    reason = "; ".join(differences) or "MLflow and the deploy target agree with the release ledger"
    yield CheckRun(key, TARGETS_IN_LINE, [CheckOutcome(TARGETS_IN_LINE, day, not differences, reason, "warn")])
