"""Checks of features, evaluated from the profiles and metrics that are committed with each day.

No rows of features are read; the tables of profiles and metrics are read once for all days of a run.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import (
    FEATURE_DRIFT,
    METRIC_BOUNDS,
    MISSING_SHARE,
    NO_INFINITIES,
    NOT_CONSTANT,
    TARGET_LEAKAGE,
    TRAINING_SERVING_SKEW,
)
from ml_assets.pipeline.features.reference_profiles import MIN_DRIFT_DAYS, ReferenceProfiles
from ml_assets.pipeline.steps.check_results import CheckRun, check_spec
from ml_assets.pipeline.validation.drift_checks import evaluate_reference_drift

if TYPE_CHECKING:
    from ml_assets.core.profiling.profiles import Profile
    from ml_assets.core.profiling.target_leakage import PredictivePower
    from ml_assets.pipeline.features.stage import FeatureEngineering

_DESCRIPTIONS = {
    NO_INFINITIES: "Fails when a feature has an infinite value.",
    MISSING_SHARE: "Fails when a feature is missing in too many rows, once all days that it reads exist.",
    NOT_CONSTANT: "Fails when a feature has one value all day, which the training window makes unlikely by chance.",
    TARGET_LEAKAGE: "Fails when a single feature predicts the label so well that it looks like a copy of the label.",
    FEATURE_DRIFT: "Fails when the distribution of a feature differs from the training window of the day's model.",
    TRAINING_SERVING_SKEW: (
        "Fails when features of the newest day differ from those built moment by moment, as for serving."
    ),
    METRIC_BOUNDS: "Fails when a metric of the day is outside its bounds.",
}


def feature_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the enabled checks of features; target_leakage only where the rows have labels."""
    settings = dict(spec.checks.enabled())
    names = [name for name in _DESCRIPTIONS if name in settings and (name != TARGET_LEAKAGE or spec.labels is None)]
    return [check_spec(name, key, settings[name], _DESCRIPTIONS[name]) for name in names]


def evaluate_feature_checks(
    spec: ModelSpec, stage: "FeatureEngineering", days: Sequence[date], key: dg.AssetKey, newest: date
) -> Iterator[CheckRun]:
    """Evaluate the enabled checks of features on some days of a run, of which `newest` is the newest."""
    evaluation = _Evaluation(spec, stage, days, newest)
    for check in feature_checks(spec, key):
        outcomes, plot = getattr(evaluation, check.name)()
        yield CheckRun(key, check.name, apply_accepted_failures(spec.checks, outcomes), plot)


def find_feature_drift(spec: ModelSpec, stage: "FeatureEngineering", day: date) -> str | None:
    """Return why `feature_drift` fails on a day, from the committed profiles; None if it passes, is accepted, or has
    nothing to compare.
    """
    outcomes, _ = _Evaluation(spec, stage, [day], day).feature_drift()
    return next((outcome.reason for outcome in apply_accepted_failures(spec.checks, outcomes) if outcome.failed), None)


OutcomesAndPlot = tuple[list[CheckOutcome], bytes | None]


class _Evaluation:
    """The days of a run with their reference profiles; each public method evaluates the check of its name."""

    def __init__(self, spec: ModelSpec, stage: "FeatureEngineering", days: Sequence[date], newest: date) -> None:
        self._spec = spec
        self._newest = newest
        self._checks = spec.checks
        self._stage = stage
        self._days = days
        self._references = ReferenceProfiles(spec, stage.profiles, days)

    @property
    def _profiles(self) -> "Mapping[date, Mapping[str, Profile]]":
        return self._references.profiles

    @cached_property
    def _powers(self) -> dict[date, dict[str, "PredictivePower"]]:
        from ml_assets.core.profiling.target_leakage import PredictivePower
        from ml_assets.core.tables.schemas import single_feature_power_schema

        names = single_feature_power_schema(self._spec).names
        powers: dict[date, dict[str, PredictivePower]] = {}
        for row in self._stage.profiles.read(self._days, ["day", "name", *names]).to_pylist():
            day, name = row.pop("day"), row.pop("name")
            powers.setdefault(day, {})[name] = PredictivePower(**row)
        return powers

    def _evaluate_days(
        self, check: str, evaluate: "Callable[[date, dict[str, Profile]], CheckOutcome]"
    ) -> OutcomesAndPlot:
        severity = getattr(self._checks, check).severity
        return [
            evaluate(day, self._profiles[day])
            if day in self._profiles
            else CheckOutcome(check, day, None, "the day has no rows", severity)
            for day in self._days
        ], None

    def no_infinities(self) -> OutcomesAndPlot:
        from ml_assets.core.checks.features import evaluate_infinities

        settings = self._checks.no_infinities
        assert settings
        return self._evaluate_days(
            NO_INFINITIES, lambda day, profiles: evaluate_infinities(NO_INFINITIES, day, profiles, settings)
        )

    def missing_share(self) -> OutcomesAndPlot:
        from ml_assets.core.checks.features import evaluate_missing

        settings = self._checks.missing_share
        assert settings
        return self._evaluate_days(
            MISSING_SHARE,
            lambda day, profiles: evaluate_missing(
                MISSING_SHARE, day, profiles, self._references.first_complete_days, settings
            ),
        )

    def not_constant(self) -> OutcomesAndPlot:
        from ml_assets.core.checks.features import evaluate_constant

        settings = self._checks.not_constant
        assert settings

        def evaluate(day: date, profiles: "dict[str, Profile]") -> CheckOutcome:
            references = self._references.of(day)
            if isinstance(references, str):
                return CheckOutcome(NOT_CONSTANT, day, None, references, settings.severity)
            by_feature = {name: list(by_day.values()) for name, by_day in references.items()}
            return evaluate_constant(NOT_CONSTANT, day, profiles, by_feature, settings)

        return self._evaluate_days(NOT_CONSTANT, evaluate)

    def target_leakage(self) -> OutcomesAndPlot:
        from ml_assets.core.checks.features import evaluate_target_leakage

        settings = self._checks.target_leakage
        assert settings
        return self._evaluate_days(
            TARGET_LEAKAGE,
            lambda day, profiles: evaluate_target_leakage(TARGET_LEAKAGE, day, self._powers[day], settings),
        )

    def feature_drift(self) -> OutcomesAndPlot:
        settings = self._checks.feature_drift
        assert settings

        def references(day: date) -> "Mapping[str, dict[date, Profile]] | str":
            by_feature = self._references.of(day, MIN_DRIFT_DAYS)
            if isinstance(by_feature, str):
                return by_feature
            return {name: profiles for name, profiles in by_feature.items() if name not in settings.leave_out}

        return evaluate_reference_drift(FEATURE_DRIFT, settings, self._days, self._profiles, references)

    def training_serving_skew(self) -> OutcomesAndPlot:
        from ml_assets.pipeline.features.skew_check import evaluate_serving_skew

        settings = self._checks.training_serving_skew
        assert settings
        reason = "only the newest day of a run is evaluated"
        return [
            evaluate_serving_skew(self._spec, self._stage, day, settings.severity)
            if day == self._newest
            else CheckOutcome(TRAINING_SERVING_SKEW, day, None, reason, settings.severity)
            for day in self._days
        ], None

    def feature_metrics(self) -> OutcomesAndPlot:
        from ml_assets.core.checks.feature_metrics import evaluate_metrics

        settings = self._checks.feature_metrics
        assert settings
        values: dict[date, dict[str, float]] = {}
        for row in self._stage.metrics.read(self._days, ["day", "metric", "value"]).to_pylist():
            values.setdefault(row["day"], {})[row["metric"]] = (
                row["value"] if row["value"] is not None else float("nan")
            )
        return [
            evaluate_metrics(self._spec, METRIC_BOUNDS, day, values.get(day, {}), settings.severity)
            for day in self._days
        ], None
