"""Explanations of failed checks that read other days whose own data failed a check."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.checks.repeated_day import NO_REPEATED_DAY
from ml_assets.core.counts import count
from ml_assets.core.model_spec.checks.check import CONTRACT
from ml_assets.pipeline.asset_names import COLUMN_DRIFT, EVERY_DAY_ACCEPTED, VALIDATED
from ml_assets.pipeline.steps.check_results import CheckRun
from ml_assets.pipeline.steps.report_store import Reports

# Checks of validated_data that are about the rows of the day itself.
CHECKS_OF_ROWS = (COLUMN_DRIFT, "row_count", "label_rate", NO_REPEATED_DAY)
MAX_NAMED = 3


def name_flagged_inputs(
    runs: Sequence[CheckRun], days_read: Callable[[date], Sequence[date]], reports: Reports
) -> list[CheckRun]:
    """Add to the remark of each failed outcome the days that it reads whose own rows failed a check.

    Args:
        runs: the checks of a stage on the days of a run.
        days_read: returns the days whose rows the checks of a day read.
        reports: the reports of the model, which have the outcomes of other days and stages.
    """
    flagged: dict[date, list[str]] = {}
    for run in runs:
        for outcome in run.outcomes if run.asset.path[-1] == VALIDATED else ():
            flagged.setdefault(outcome.day, [])
            if outcome.failed and _is_of_rows(outcome.check):
                flagged[outcome.day].append(outcome.check)

    def failed_checks(day: date) -> list[str]:
        if day not in flagged:
            outcomes = reports.outcomes(day, VALIDATED)
            flagged[day] = [outcome.check for outcome in outcomes if outcome.failed and _is_of_rows(outcome.check)]
        return flagged[day]

    def explain(outcome: CheckOutcome) -> CheckOutcome:
        if not outcome.failed or _reads_one_day(outcome.check):
            return outcome
        read = [day for day in days_read(outcome.day) if day != outcome.day or not _is_of_rows(outcome.check)]
        note = _describe({day: checks for day in read if (checks := failed_checks(day))})
        return replace(outcome, remark=f"{outcome.remark}{note}")

    return [replace(run, outcomes=[explain(outcome) for outcome in run.outcomes]) for run in runs]


def _is_of_rows(check: str) -> bool:
    return check in CHECKS_OF_ROWS or _reads_one_day(check)


def _reads_one_day(check: str) -> bool:
    return check == EVERY_DAY_ACCEPTED or check.startswith(CONTRACT)


def _describe(flagged: Mapping[date, Sequence[str]]) -> str:
    if not flagged:
        return ""
    newest = sorted(flagged, reverse=True)[:MAX_NAMED]
    days = ", ".join(f"{day} ({', '.join(flagged[day])})" for day in newest)
    more = f" and {count(len(flagged) - MAX_NAMED, 'more day')}" if len(flagged) > MAX_NAMED else ""
    return f". It reads days whose own data failed checks: {days}{more}"
