"""The check every_day_accepted: no day is rejected or missing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import EVERY_DAY_ACCEPTED
from ml_assets.pipeline.steps.check_results import MOST_LINES, CheckRun, check_spec, table

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
    """Evaluate `every_day_accepted` on some days."""
    severity, counts = spec.checks.every_day_accepted.severity, stage.quarantined.row_counts()
    with_entries = [day for day in days if counts.get(day)]
    faults: dict[date, list[dict]] = {day: [] for day in days}
    for fault in stage.report(with_entries).to_dict("records") if with_entries else ():
        faults[fault["day"]].append({**fault, "day": str(fault["day"])})
    outcomes = []
    for day in days:
        reason = next((fault["reason"] for fault in reversed(faults[day]) if fault["scope"] == "day"), None)
        explanation = f"{reason}{_cause(faults[day])}" if reason else "the day was accepted"
        figures = {
            "is_accepted": reason is None,
            "rows_quarantined": stage.count_quarantined_rows([day]) if day in with_entries else 0,
            "faults": faults[day][:MOST_LINES],
        }
        outcomes.append(CheckOutcome(EVERY_DAY_ACCEPTED, day, reason is None, explanation, severity, figures=figures))
    yield CheckRun(key, EVERY_DAY_ACCEPTED, apply_accepted_failures(spec.checks, outcomes))


def _cause(faults: Sequence[Mapping[str, Any]]) -> str:
    """Describe the fault of a file, or the most frequent reason of rows, of a rejected day; empty if it has neither."""
    from ml_assets.core.validation.validate_day import THE_DAY_IS_REJECTED

    of_files = [f"{fault['file']}: {fault['reason']}" for fault in faults if fault["scope"] == "file"]
    of_rows = [fault for fault in faults if fault["scope"] == "row" and fault["reason"] != THE_DAY_IS_REJECTED]
    if of_files:
        return f"; {of_files[0]}"
    most = max(of_rows, key=lambda fault: fault["rows"], default=None)
    return f"; most often {most['reason']} ({count(most['rows'], 'row')})" if most else ""


def acceptance_metadata(outcomes: Sequence[CheckOutcome]) -> Mapping[str, Any]:
    """Count the days that were not accepted and the quarantined rows of all days, and list the faults."""
    figures = [outcome.figures for outcome in outcomes]
    faults = [fault for of_day in figures for fault in cast(Sequence[Mapping], of_day["faults"])]
    return {
        "days_not_accepted": sum(not of_day["is_accepted"] for of_day in figures),
        "rows_quarantined": sum(cast(int, of_day["rows_quarantined"]) for of_day in figures),
        # The table is cut off after some lines, so faults of whole days come first.
        "faults": table(sorted(faults, key=lambda fault: SCOPES.index(fault["scope"]))),
    }
