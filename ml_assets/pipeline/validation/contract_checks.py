"""The checks of validated data that judge its contract: one for each column, one for the row key, and one for the
landed files.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

from ml_assets.core.checks.contract import contract_check_names, evaluate_contract_checks
from ml_assets.core.checks.files import DAYS_BEFORE, FILES_READ, evaluate_files_read, list_other_columns
from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks import Check
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.pipeline.steps.check_results import CheckRun, check_spec, table
from ml_assets.pipeline.validation.stage import Validation


def contract_check_specs(spec: ModelSpec, feed: Feed, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The check of the row key, one for each column and, for rows and not for labels, that of the landed files unless
    it is switched off.
    """
    of_key, of_columns = contract_check_names(feed)
    specs: list[dg.AssetCheckSpec] = []
    limit = f"is broken by more than {feed.quality.max_rule_share:.2%} of the rows of a day; names rule, rows and share, with a few rows of each"
    if spec.checks.contract:
        specs.append(
            dg.AssetCheckSpec(of_key, asset=key, description=f"Fails when the key {', '.join(feed.row_key)} {limit}")
        )
        for name, check in of_columns.items():
            about = f"Fails when a rule of {name} {limit}"
            specs.append(dg.AssetCheckSpec(check, asset=key, description=about, blocking=feed.columns[name].blocking))
    if settings := _files_read(spec, feed):
        about = "Fails when a landed file could not be read whole, has no rows, or has columns that neither the contract nor the days before have"
        specs.append(check_spec(FILES_READ, key, settings, about))
    return specs


def evaluate_contract(spec: ModelSpec, stage: Validation, days: Sequence[date], key: dg.AssetKey) -> Iterator[CheckRun]:
    """What these checks find on the days of a run; beside it the count of each broken rule on each day, newest
    first.
    """
    broken, with_rows = stage.violations(days if spec.checks.contract else ()), stage.days_with_rows()
    of_days = dict(iter(broken.groupby("day")))
    by_check: dict[str, list[CheckOutcome]] = {}
    for day in days if spec.checks.contract else ():
        for found in evaluate_contract_checks(stage.feed, day, of_days.get(day, broken.iloc[:0]), day in with_rows):
            by_check.setdefault(found.check, []).append(found)
    for check, outcomes in by_check.items():
        counts = [
            {"day": str(found.day), **{name: line[name] for name in ("rule", "severity", "rows", "share")}}
            for found in reversed(outcomes)
            for line in found.lines
        ]
        yield CheckRun(
            key,
            check,
            apply_accepted_failures(spec.checks, outcomes),
            metadata={"violations": table(counts)} if counts else {},
        )
    if settings := _files_read(spec, stage.feed):
        yield CheckRun(key, FILES_READ, apply_accepted_failures(spec.checks, _files(stage, days, settings)))


def _files_read(spec: ModelSpec, feed: Feed) -> Check | None:
    # Days of labels are days of delivery, each with the files that there happen to be.
    return spec.checks.files_read if feed.event_time is not None else None


def _files(stage: Validation, days: Sequence[date], settings: Check) -> list[CheckOutcome]:
    """What `files_read` finds on each day; only the names of the columns of a few days are held at once."""
    asked, there = set(days), stage.days_with_files()
    earlier = [day for day in there if day < days[0]][-DAYS_BEFORE:]
    before, found = deque[set[str]](maxlen=DAYS_BEFORE), []
    for day in [*earlier, *sorted(asked.union(day for day in there if days[0] <= day <= days[-1]))]:
        files = stage.landed_files(day)
        if day in asked:
            found.append(evaluate_files_read(day, files, before, settings.severity))
        if (names := list_other_columns(files)) is not None:
            before.append(names)
    return found
