"""The checks served_features and served_feature_drift: features as served against the batch and the training window."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import FEATURES
from ml_assets.pipeline.engine.day_fingerprints import day_fingerprints
from ml_assets.pipeline.features.reference_profiles import MIN_DRIFT_DAYS, ReferenceProfiles, drift_reference_days
from ml_assets.pipeline.steps.check_results import CheckRun, enabled_check_specs
from ml_assets.pipeline.steps.kept_checks import Inputs
from ml_assets.pipeline.validation.drift_checks import evaluate_reference_drift

if TYPE_CHECKING:
    from ml_assets.core.profiling.profiles import Profile
    from ml_assets.pipeline.monitoring.served_stage import ServedRequests

SERVED_FEATURES, SERVED_FEATURE_DRIFT = "served_features", "served_feature_drift"
_DESCRIPTIONS = {
    SERVED_FEATURES: "Fails when features as served differ from those that the batch computed for the same rows.",
    SERVED_FEATURE_DRIFT: (
        "Fails when the distribution of a feature of served requests differs from the training window of the day's "
        "model."
    ),
}


def served_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the checks of served requests that are not switched off."""
    return enabled_check_specs(spec.checks, _DESCRIPTIONS, key, _DESCRIPTIONS)


def served_check_inputs(spec: ModelSpec, stage: "ServedRequests", day: date) -> Inputs:
    """List the inputs of the checks of a day: the requests, the features of the day, and the training window."""
    table = stage.tables[stage.name]
    if not table.is_committed(day):
        return None
    return [
        day_fingerprints([table, stage.batch.rows], [day]),
        day_fingerprints([stage.batch.profiles], drift_reference_days(spec, day)),
    ]


def evaluate_served_checks(
    spec: ModelSpec, stage: "ServedRequests", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """Evaluate the enabled checks on the days of a run."""
    if spec.checks.served_features:
        outcomes = [_compare(spec, stage, day) for day in days]
        yield CheckRun(key, SERVED_FEATURES, apply_accepted_failures(spec.checks, outcomes))
    settings = spec.checks.served_feature_drift
    if settings is None:
        return
    references = ReferenceProfiles(spec, stage.batch.profiles, days)
    profiles = {day: profile for day in days if (profile := _profile(spec, stage, day))}

    def reference(day: date) -> "Mapping[str, Mapping[date, Profile]] | str":
        by_feature = references.of(day, MIN_DRIFT_DAYS)
        if isinstance(by_feature, str):
            return by_feature
        return {name: by_day for name, by_day in by_feature.items() if name not in settings.leave_out}

    outcomes, plot = evaluate_reference_drift(SERVED_FEATURE_DRIFT, settings, days, profiles, reference)
    yield CheckRun(key, SERVED_FEATURE_DRIFT, apply_accepted_failures(spec.checks, outcomes), plot)


def _compare(spec: ModelSpec, stage: "ServedRequests", day: date) -> CheckOutcome:
    from ml_assets.core.checks.served_features import evaluate_served_features
    from ml_assets.core.features.served_features import comparable_features, compare_served
    from ml_assets.core.serving.captured_requests import NOT_KEPT
    from ml_assets.core.tables.schemas import to_pandas

    settings = spec.checks.served_features
    assert settings
    if not stage.batch.rows.is_committed(day):
        reason = f"the {FEATURES} of the day are not in the lake"
        return CheckOutcome(SERVED_FEATURES, day, None, reason, settings.severity)
    columns = list(dict.fromkeys([*spec.row_key, *comparable_features(spec)]))
    served, computed = stage.frame(day, [*columns, NOT_KEPT]), to_pandas(stage.batch.rows.read([day], columns))
    comparison = compare_served(spec, served, computed, settings.tolerance)
    return evaluate_served_features(SERVED_FEATURES, day, comparison, settings)


def _profile(spec: ModelSpec, stage: "ServedRequests", day: date) -> "Mapping[str, Profile]":
    """Profile the features of the requests of a day that all of them kept; none without requests."""
    import pyarrow as pa

    from ml_assets.core.features.served_features import comparable_features
    from ml_assets.core.profiling.profiles import profile_columns, read_profiles
    from ml_assets.core.serving.captured_requests import NOT_KEPT

    missing = ",".join(filter(None, stage.read(day, [NOT_KEPT])[NOT_KEPT].unique().to_pylist())).split(",")
    features = [name for name in comparable_features(spec) if name not in missing]
    profiles = profile_columns(stage.read(day, features), spec.source.time_zone)
    if not profiles.num_rows:
        return {}
    days = pa.array([day] * profiles.num_rows, pa.date32())
    return read_profiles(profiles.append_column("day", days))[day]
