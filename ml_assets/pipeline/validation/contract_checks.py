"""Contract checks of validated data: one for each column, one for the row key, and one for the landed files."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from ml_assets.core.checks.contract import contract_check_names, evaluate_contract_checks
from ml_assets.core.checks.files import DAYS_BEFORE, FILES_READ, evaluate_files_read, list_other_columns
from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.check import Check
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.pipeline.steps.check_results import CheckRun, check_spec, table
from ml_assets.pipeline.validation.stage import Validation


def contract_check_specs(spec: ModelSpec, feed: Feed, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the checks of the row key, of each column and of the landed files.

    Labels have no check of landed files; a check that is switched off has no spec.
    """
    key_check, column_checks = contract_check_names(feed)
    specs: list[dg.AssetCheckSpec] = []
    limit = (
        f"is violated by more than {feed.quality.max_rule_share:.2%} of the rows of a day; "
        "names the rule, the number and share of rows, and a few of the rows"
    )
    if spec.checks.contract:
        specs.append(
            dg.AssetCheckSpec(key_check, asset=key, description=f"Fails when the key {', '.join(feed.row_key)} {limit}")
        )
        for name, check in column_checks.items():
            about = f"Fails when a rule of {name} {limit}"
            specs.append(dg.AssetCheckSpec(check, asset=key, description=about, blocking=feed.columns[name].blocking))
    if settings := _files_read_settings(spec, feed):
        about = (
            "Fails when a landed file could not be read completely, has no rows, or has columns that are neither in "
            "the contract nor in the files of the days before"
        )
        specs.append(check_spec(FILES_READ, key, settings, about))
    return specs


def evaluate_contract(spec: ModelSpec, stage: Validation, days: Sequence[date], key: dg.AssetKey) -> Iterator[CheckRun]:
    """Evaluate these checks on some days."""
    violations = stage.violations(days if spec.checks.contract else ())
    with_rows = stage.days_with_rows()
    by_day = dict(iter(violations.groupby("day")))
    by_check: dict[str, list[CheckOutcome]] = {}
    for day in days if spec.checks.contract else ():
        of_day = by_day.get(day, violations.iloc[:0])
        for outcome in evaluate_contract_checks(stage.feed, day, of_day, day in with_rows):
            by_check.setdefault(outcome.check, []).append(outcome)
    for check, outcomes in by_check.items():
        yield CheckRun(key, check, apply_accepted_failures(spec.checks, outcomes))
    if settings := _files_read_settings(spec, stage.feed):
        yield CheckRun(key, FILES_READ, apply_accepted_failures(spec.checks, _evaluate_files(stage, days, settings)))


def contract_metadata(outcomes: Sequence[CheckOutcome]) -> Mapping[str, Any]:
    """Show the count of each violated rule on each day, newest first."""
    counts = [
        {"day": str(outcome.day), **{name: line[name] for name in ("rule", "severity", "rows", "share")}}
        for outcome in reversed(outcomes)
        for line in outcome.lines
    ]
    return {"violations": table(counts)} if counts else {}


def _files_read_settings(spec: ModelSpec, feed: Feed) -> Check | None:
    # A day of labels is a day of delivery, which may have any files.
    return spec.checks.files_read if feed.event_time is not None else None


def _evaluate_files(stage: Validation, days: Sequence[date], settings: Check) -> list[CheckOutcome]:
    """Evaluate `files_read` on each day, with the column names of only a few days in memory."""
    evaluated = set(days)
    with_files = stage.days_with_files()
    earlier = [day for day in with_files if day < days[0]][-DAYS_BEFORE:]
    columns_before = deque[set[str]](maxlen=DAYS_BEFORE)
    outcomes = []
    for day in [*earlier, *sorted(evaluated.union(day for day in with_files if days[0] <= day <= days[-1]))]:
        files = stage.landed_files(day)
        if day in evaluated:
            outcomes.append(evaluate_files_read(day, files, columns_before, settings.severity))
        if (names := list_other_columns(files)) is not None:
            columns_before.append(names)
    return outcomes
