"""Notification events from asset checks: one for each day that failed, and one for each day that passed."""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from ml_assets.core.operations.notifications.events import Kind, NotificationEvent, Severity
from ml_assets.core.operations.notifications.message import shorten
from ml_assets.core.tables.day_ranges import days_between, parse_days
from ml_assets.pipeline.asset_names import EVERY_DAY_ACCEPTED, model_and_asset, page_of
from ml_assets.pipeline.automation.freshness import NEWEST_DAY, NEWEST_DAY_ON_TIME
from ml_assets.pipeline.release.rollback_check import NOT_ROLLED_BACK
from ml_assets.pipeline.steps.check_results import BY_DAY, DAYS_PASSED, VERDICTS

STATE_BY_KIND = {Kind.REJECTED_DAY: "not accepted", Kind.FRESHNESS: "late"}


def events_of_check(
    evaluation: dg.AssetCheckEvaluation, at: datetime, run: str, blocks: bool
) -> Iterator[NotificationEvent]:
    """Yield the events of one check evaluation.

    A failed check that is neither a gate nor blocking appears only in the report of the day.

    Args:
        evaluation: the evaluation of a check of `<model>/<asset>`.
        at: the time of the evaluation.
        run: the run that evaluated it.
        blocks: True if the check is blocking.
    """
    key = evaluation.asset_check_key
    kind = _kind(key)
    names = model_and_asset(key.asset_key)
    if kind is None or names is None:
        return
    model, asset = names
    detail = f"{asset}: {key.name}"
    for day in _passed_days(evaluation):
        yield NotificationEvent(kind, model, day, detail, failed=False, at=at, run=run)
    if kind is Kind.FAILED_CHECK and not blocks:
        return
    for day, severity, reason in _failed_days(evaluation):
        state = STATE_BY_KIND.get(kind, key.name)
        # The reason of the newest day begins with the day itself.
        message = shorten(f"{day} {state}: {reason.removeprefix(f'{day}: ')}")
        page = f"{page_of(key.asset_key)}?view=checks&checkDetail={key.name}"
        yield NotificationEvent(
            kind, model, day, detail, failed=True, at=at, severity=severity, message=message, run=run, link=page
        )


def _kind(key: dg.AssetCheckKey) -> Kind | None:
    """Return the kind of event, or None for a rollback, which the release ledger reports."""
    if key.name == NOT_ROLLED_BACK:
        return None
    if key.name.startswith("gate_"):
        return Kind.FAILED_GATE
    return {EVERY_DAY_ACCEPTED: Kind.REJECTED_DAY, NEWEST_DAY_ON_TIME: Kind.FRESHNESS}.get(key.name, Kind.FAILED_CHECK)


def _passed_days(evaluation: dg.AssetCheckEvaluation) -> list[str]:
    if day := _only_day(evaluation):
        return [day] if evaluation.passed else []
    passed = evaluation.metadata.get(DAYS_PASSED)
    ranges = str(passed.value).split(", ") if passed and passed.value else []
    return [day.isoformat() for day_range in ranges for day in days_between(*parse_days(day_range))]


def _failed_days(evaluation: dg.AssetCheckEvaluation) -> list[tuple[str, Severity, str]]:
    """Return (day, severity, reason) of each day that failed."""
    if day := _only_day(evaluation):
        return [] if evaluation.passed else [(day, Severity.ERROR, evaluation.description or "")]
    table = evaluation.metadata.get(BY_DAY)
    if not isinstance(table, dg.TableMetadataValue):
        return []
    rows = [row.data for row in table.records if row.data["verdict"] == VERDICTS[False]]
    return [
        (str(row["day"]), Severity.WARNING if row["severity"] == "warn" else Severity.ERROR, str(row["reason"]))
        for row in rows
    ]


def _only_day(evaluation: dg.AssetCheckEvaluation) -> str | None:
    day = evaluation.metadata.get(NEWEST_DAY)
    return str(day.value) if day else None
