"""The check no_repeated_day of validated_data: rows of an earlier day under another date."""

from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

from ml_assets.core.checks.outcome import apply_accepted_failures
from ml_assets.core.checks.repeated_day import NO_REPEATED_DAY, evaluate_repeated_day
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.pipeline.steps.check_results import CheckRun, enabled_check_specs
from ml_assets.pipeline.validation.drift_checks import ProfilesByDay


def repeated_day_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the check, unless it is switched off."""
    about = "Fails when the rows of a day are those of an earlier day, landed again under another date; names that day."
    return enabled_check_specs(spec.checks, [NO_REPEATED_DAY], key, {NO_REPEATED_DAY: about})


def evaluate_repeated_days(
    spec: ModelSpec, feed: Feed, profiles: ProfilesByDay, days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """Evaluate `no_repeated_day` on the days of a run.

    Args:
        spec: the model.
        feed: the feed of its rows.
        profiles: profiles of these days and of the days before.
        days: the days.
        key: the asset of the check.
    """
    if settings := spec.checks.no_repeated_day:
        times = [name for name, column in feed.columns.items() if column.type == "timestamp"]
        ignored = {*times, *feed.row_key, spec.target}
        outcomes = [evaluate_repeated_day(day, profiles, ignored, settings.severity) for day in days]
        yield CheckRun(key, NO_REPEATED_DAY, apply_accepted_failures(spec.checks, outcomes))
