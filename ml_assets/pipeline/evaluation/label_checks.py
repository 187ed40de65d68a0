"""Checks of the labels of an evaluation: label_timeliness and, if labels have files of their own, label_rate."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.label_rate import LABEL_RATE, REFERENCE_DAYS
from ml_assets.core.checks.label_timeliness import LABEL_TIMELINESS, LabelTimes, evaluate_label_timeliness
from ml_assets.core.checks.outcome import apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import split_days
from ml_assets.pipeline.asset_names import EVALUATION
from ml_assets.pipeline.steps.check_results import CheckRun, enabled_check_specs

if TYPE_CHECKING:
    import pyarrow as pa

    from ml_assets.core.profiling.profiles import Profile
    from ml_assets.pipeline.evaluation.stage import ModelEvaluation

DESCRIPTIONS = {
    LABEL_RATE: "The share of positives or of each class of the holdout is within its bounds and like that of the four "
    "weeks before; in a regression, mean and quantiles of the target are.",
    LABEL_TIMELINESS: "Few rows of the holdout have no label, and few labels arrived later than label_delay.",
}


def label_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the enabled checks of labels that apply to the model."""
    return enabled_check_specs(spec.checks, _evaluated_here(spec), key, DESCRIPTIONS)


def _evaluated_here(spec: ModelSpec) -> set[str]:
    timeliness = {LABEL_TIMELINESS} if spec.labels or spec.columns[spec.target].nullable else set()
    return timeliness | ({LABEL_RATE} if spec.labels else set())


def evaluate_label_checks(
    spec: ModelSpec, stage: "ModelEvaluation", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """Evaluate these checks on the days of a run that have a model."""
    evaluated_here = _evaluated_here(spec)
    with_model = [day for day in days if stage.tables[EVALUATION].row_counts().get(day)]
    if (settings := spec.checks.label_rate) and LABEL_RATE in evaluated_here:
        from ml_assets.core.checks.target_rates import evaluate_targets

        outcomes = [
            evaluate_targets(spec, settings, day, _profile_holdout(spec, stage, day), _profile_before(spec, stage, day))
            for day in with_model
        ]
        yield CheckRun(key, LABEL_RATE, apply_accepted_failures(spec.checks, outcomes))
    if (settings := spec.checks.label_timeliness) and LABEL_TIMELINESS in evaluated_here:
        outcomes = [evaluate_label_timeliness(settings, day, _measure_times(spec, stage, day)) for day in with_model]
        yield CheckRun(key, LABEL_TIMELINESS, apply_accepted_failures(spec.checks, outcomes))


def _profile_holdout(spec: ModelSpec, stage: "ModelEvaluation", day: date) -> "Profile | None":
    """Profile the target of the holdout, as committed with the evaluation of `day`; None without rows."""
    targets = stage.tables[EVALUATION].read([day], [spec.target])
    return _profile(spec, targets, day) if targets.num_rows else None


def _profile_before(spec: ModelSpec, stage: "ModelEvaluation", day: date) -> "dict[date, Profile]":
    """Profile the target of each day of the four weeks before the holdout, from the evaluations of earlier days, in
    which labels are as old as those of the holdout.
    """
    import pyarrow.compute as pc

    length = spec.evaluation.holdout
    profiles = {}
    for number in range(1, -(-timedelta(days=REFERENCE_DAYS) // length) + 1):
        rows = stage.tables[EVALUATION].read([day - number * length], ["event_day", spec.target])
        for event_day in sorted(set(rows["event_day"].to_pylist())):
            targets = rows.filter(pc.field("event_day") == event_day).select([spec.target])
            profiles[event_day] = _profile(spec, targets, event_day)
    return profiles


def _profile(spec: ModelSpec, targets: "pa.Table", day: date) -> "Profile":
    import pyarrow as pa

    from ml_assets.core.profiling.profiles import profile_columns, read_profiles

    profiles = profile_columns(targets, spec.source.time_zone)
    with_day = profiles.add_column(0, "day", pa.array([day] * profiles.num_rows, pa.date32()))
    return read_profiles(with_day)[day][spec.target]


def _measure_times(spec: ModelSpec, stage: "ModelEvaluation", day: date) -> LabelTimes:
    unlabelled = None
    if spec.labels is None or spec.labels.unlabelled == "exclude":
        labels = stage.tables[EVALUATION].read([day], [spec.target])[spec.target]
        unlabelled = labels.null_count, len(labels)
    split = split_days(spec, day)
    return LabelTimes(unlabelled, stage.late_labels([*split.window, *split.holdout], day))
