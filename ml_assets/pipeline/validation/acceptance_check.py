"""The check every_day_accepted: no day is rejected or missing."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import EVERY_DAY_ACCEPTED
from ml_assets.pipeline.steps.check_results import CheckRun, check_spec, table

if TYPE_CHECKING:
    from ml_assets.pipeline.validation.stage import Validation


SCOPES = ("day", "file", "row")


def acceptance_check(spec: ModelSpec, key: dg.AssetKey) -> dg.AssetCheckSpec:
    """Specify the check that no day of the run was rejected or is missing."""
    about = "Fails when a day of the run was rejected or has no files; names each fault with day, file, rule and count."
    return check_spec(EVERY_DAY_ACCEPTED, key, spec.checks.every_day_accepted, about)


def evaluate_acceptance(
    spec: ModelSpec, stage: "Validation", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """Evaluate `every_day_accepted` on the days of a run."""
    report = stage.report(days)
    rejected = report[report["scope"] == "day"]
    reasons = dict(zip(rejected["day"], rejected["reason"], strict=True))
    severity = spec.checks.every_day_accepted.severity
    outcomes = [
        CheckOutcome(EVERY_DAY_ACCEPTED, day, day not in reasons, reasons.get(day, "the day was accepted"), severity)
        for day in days
    ]
    # The table is cut off after some lines: whole days come first, so that none of them is left out.
    faults = report.assign(day=report["day"].astype(str)).sort_values(
        "scope", key=lambda scope: scope.map(SCOPES.index), kind="stable"
    )
    metadata = {
        "days_not_accepted": len(rejected),
        "rows_quarantined": stage.count_quarantined_rows(days),
        "faults": table(faults.to_dict("records")),
    }
    yield CheckRun(key, EVERY_DAY_ACCEPTED, apply_accepted_failures(spec.checks, outcomes), metadata=metadata)
