"""Checks of the volume of validated_data: number of rows, days without rows, share of positives."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.label_rate import LABEL_RATE, REFERENCE_DAYS
from ml_assets.core.checks.outcome import apply_accepted_failures
from ml_assets.core.checks.volume import NO_GAPS, ROW_COUNT, evaluate_gaps, evaluate_row_count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.steps.check_results import CheckRun, enabled_check_specs

if TYPE_CHECKING:
    from ml_assets.core.profiling.profiles import Profile
    from ml_assets.pipeline.validation.stage import Validation

DESCRIPTIONS = {
    ROW_COUNT: "About as many rows as on the same weekday of the weeks before.",
    NO_GAPS: "Every day of the look-back before has rows.",
    LABEL_RATE: "The share of positives, or of each class, is within its bounds and like that of the four weeks "
    "before; of a regression, mean and quantiles of the target are.",
}


def data_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the enabled checks of row count, gaps and, where rows have labels, label rate."""
    return enabled_check_specs(spec.checks, _evaluated_here(spec), key, DESCRIPTIONS)


def _evaluated_here(spec: ModelSpec) -> set[str]:
    return {ROW_COUNT, NO_GAPS} if spec.labels else {ROW_COUNT, NO_GAPS, LABEL_RATE}


def evaluate_volume(spec: ModelSpec, stage: "Validation", days: Sequence[date], key: dg.AssetKey) -> Iterator[CheckRun]:
    """Evaluate these checks on the days of a run; row counts come from the statistics of the table, so that no row is
    read for them.
    """
    counts = stage.validated.row_counts()
    if settings := spec.checks.row_count:
        outcomes = [evaluate_row_count(settings, counts, day) for day in days]
        yield CheckRun(key, ROW_COUNT, apply_accepted_failures(spec.checks, outcomes))
    if settings := spec.checks.no_gaps:
        accepted = [day for day in spec.checks.accepted if spec.checks.is_accepted(NO_GAPS, day)]
        outcomes = [evaluate_gaps(settings, counts, day, spec.source.start, accepted) for day in days]
        yield CheckRun(key, NO_GAPS, apply_accepted_failures(spec.checks, outcomes))
    if (settings := spec.checks.label_rate) and LABEL_RATE in _evaluated_here(spec):
        from ml_assets.core.checks.target_rates import evaluate_targets

        targets = _targets_by_day(spec, stage, [day for day in _with_reference(days) if counts.get(day)])
        outcomes = [evaluate_targets(spec, settings, day, targets.get(day), days_before(targets, day)) for day in days]
        yield CheckRun(key, LABEL_RATE, apply_accepted_failures(spec.checks, outcomes))


def days_before(targets: "dict[date, Profile]", day: date) -> "dict[date, Profile]":
    """Select the profiles of the target on the reference days of a day."""
    return {earlier: targets[earlier] for earlier in _days_back(day) if earlier in targets}


def _days_back(day: date) -> list[date]:
    return [day - timedelta(days=back) for back in range(REFERENCE_DAYS, 0, -1)]


def _with_reference(days: Sequence[date]) -> list[date]:
    return sorted({*days, *(earlier for day in days for earlier in _days_back(day))})


def _targets_by_day(spec: ModelSpec, stage: "Validation", days: Sequence[date]) -> "dict[date, Profile]":
    """Read the profile of the target of each day."""
    import pyarrow.compute as pc

    from ml_assets.core.profiling.profiles import read_profiles
    from ml_assets.core.tables.schemas import PROFILE_SCHEMA

    target_profiles = stage.profiles.read(days, ["day", *PROFILE_SCHEMA.names]).filter(pc.field("name") == spec.target)
    return {day: profiles[spec.target] for day, profiles in read_profiles(target_profiles).items()}
