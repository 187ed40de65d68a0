"""The checks of features, from the tables that are committed with each day: nothing but profiles and figures is read,
once for all days of a run.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.features.warm_up import find_first_complete_days
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import Calendar
from ml_assets.core.training.time_split import HistoryTooShort, split_days
from ml_assets.pipeline.steps.check_results import CheckRun, check_spec
from ml_assets.pipeline.validation.drift_checks import evaluate_reference_drift, read_days

if TYPE_CHECKING:
    from ml_assets.core.profiling.profiles import Profile
    from ml_assets.core.profiling.target_leakage import PredictivePower
    from ml_assets.pipeline.features.stage import FeatureEngineering

# Parts of the date, which have one value all day.
CONSTANT_PARTS = ("weekday", "weekend", "month")
_ABOUT = {
    "no_infinities": "Fails when a feature has an infinite value.",
    "missing_share": "Fails when a feature is missing in too many rows, once all days that it sees are there.",
    "not_constant": "Fails when a feature has one value all day, where by the training window that cannot be chance.",
    "target_leakage": "Fails when one feature alone tells the label: it looks like the label in another form.",
    "feature_drift": "Fails when a feature is distributed otherwise than in the training window of the day's model.",
    "training_serving_skew": "Fails when features of the newest day come out otherwise when they are built moment by moment, as they are when scored.",
    "feature_metrics": "Fails when a figure of the day is outside its bounds.",
}


def feature_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of features that are not switched off; target_leakage only where the labels are in the rows."""
    settings = dict(spec.checks.enabled())
    names = [name for name in _ABOUT if name in settings and (name != "target_leakage" or spec.labels is None)]
    return [check_spec(name, key, settings[name], _ABOUT[name]) for name in names]


def evaluate_feature_checks(
    spec: ModelSpec, stage: "FeatureEngineering", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """What the checks of features find on the days of a run."""
    of_run = _Run(spec, stage, days)
    for check in feature_checks(spec, key):
        found, plot = getattr(of_run, check.name)()
        yield CheckRun(key, check.name, apply_accepted_failures(spec.checks, found), plot)


Found = tuple[list[CheckOutcome], bytes | None]


class _Run:
    """The days of a run, and what their checks compare them with; each method is the check of its name."""

    def __init__(self, spec: ModelSpec, stage: "FeatureEngineering", days: Sequence[date]) -> None:
        self._spec, self._checks, self._stage, self._days = spec, spec.checks, stage, days
        self._complete = find_first_complete_days(spec)
        self._windows = {day: _training_window(spec, day) for day in days}
        constant = {
            name for feature in spec.features if isinstance(feature, Calendar) for name in _constant_names(feature)
        }
        self._varying = [name for name in spec.feature_names() if name not in constant]

    @cached_property
    def _known(self) -> dict[date, dict[str, "Profile"]]:
        compared = {day for window in self._windows.values() if not isinstance(window, str) for day in window}
        return read_days(self._stage.profiles, compared | set(self._days))

    @cached_property
    def _powers(self) -> dict[date, dict[str, "PredictivePower"]]:
        from ml_assets.core.profiling.target_leakage import PredictivePower
        from ml_assets.core.tables.schemas import SINGLE_FEATURE_POWER_SCHEMA

        powers: dict[date, dict[str, PredictivePower]] = {}
        for row in self._stage.profiles.read(
            self._days, ["day", "name", *SINGLE_FEATURE_POWER_SCHEMA.names]
        ).to_pylist():
            day, name = row.pop("day"), row.pop("name")
            powers.setdefault(day, {})[name] = PredictivePower(**row)
        return powers

    def _references(self, day: date) -> "Mapping[str, list[Profile]] | str":
        """The profiles of the training window by feature, of those that vary and of days on which all is there that the
        feature sees.
        """
        window = self._windows[day]
        if isinstance(window, str):
            return window
        used = {
            name: [one for one in window if one >= self._complete[name] and name in self._known.get(one, ())]
            for name in self._varying
        }
        return {
            name: [self._known[one][name] for one in of_name]
            for name, of_name in used.items()
            if day >= self._complete[name]
        }

    def _each(self, check: str, evaluate_gates: "Callable[[date, dict[str, Profile]], CheckOutcome]") -> Found:
        severity = getattr(self._checks, check).severity
        there, nothing = self._known, "the day has no rows"
        return [
            evaluate_gates(day, there[day]) if day in there else CheckOutcome(check, day, None, nothing, severity)
            for day in self._days
        ], None

    def no_infinities(self) -> Found:
        from ml_assets.core.checks.features import evaluate_infinities

        settings = self._checks.no_infinities
        assert settings
        return self._each(
            "no_infinities", lambda day, profiles: evaluate_infinities("no_infinities", day, profiles, settings)
        )

    def missing_share(self) -> Found:
        from ml_assets.core.checks.features import evaluate_missing

        settings = self._checks.missing_share
        assert settings
        return self._each(
            "missing_share",
            lambda day, profiles: evaluate_missing("missing_share", day, profiles, self._complete, settings),
        )

    def not_constant(self) -> Found:
        from ml_assets.core.checks.features import evaluate_constant

        check, settings = "not_constant", self._checks.not_constant
        assert settings

        def evaluate_gates(day: date, profiles: "dict[str, Profile]") -> CheckOutcome:
            compared = self._references(day)
            if isinstance(compared, str):
                return CheckOutcome(check, day, None, compared, settings.severity)
            return evaluate_constant(check, day, profiles, compared, settings)

        return self._each(check, evaluate_gates)

    def target_leakage(self) -> Found:
        from ml_assets.core.checks.features import evaluate_target_leakage

        settings = self._checks.target_leakage
        assert settings
        return self._each(
            "target_leakage",
            lambda day, profiles: evaluate_target_leakage("target_leakage", day, self._powers[day], settings),
        )

    def feature_drift(self) -> Found:
        settings = self._checks.feature_drift
        assert settings

        def references(day: date) -> "Mapping[str, list[Profile]] | str":
            found = self._references(day)
            return (
                found
                if isinstance(found, str)
                else {name: used for name, used in found.items() if name not in settings.leave_out}
            )

        return evaluate_reference_drift("feature_drift", settings, self._days, self._known, references)

    def training_serving_skew(self) -> Found:
        from ml_assets.pipeline.features.skew_check import evaluate_serving_skew

        settings = self._checks.training_serving_skew
        assert settings
        others = "only the newest day of a run is judged"
        earlier = [
            CheckOutcome("training_serving_skew", day, None, others, settings.severity) for day in self._days[:-1]
        ]
        return [*earlier, evaluate_serving_skew(self._spec, self._stage, self._days[-1], settings.severity)], None

    def feature_metrics(self) -> Found:
        from ml_assets.core.checks.feature_metrics import evaluate_metrics

        settings = self._checks.feature_metrics
        assert settings
        values: dict[date, dict[str, float]] = {}
        for row in self._stage.metrics.read(self._days, ["day", "metric", "value"]).to_pylist():
            values.setdefault(row["day"], {})[row["metric"]] = (
                row["value"] if row["value"] is not None else float("nan")
            )
        return [
            evaluate_metrics(self._spec, "feature_metrics", day, values.get(day, {}), settings.severity)
            for day in self._days
        ], None


def _constant_names(feature: Calendar) -> list[str]:
    return [name for part, name in zip(feature.parts, feature.names(), strict=True) if part in CONSTANT_PARTS]


def _training_window(spec: ModelSpec, day: date) -> list[date] | str:
    try:
        return split_days(spec, day).window
    except HistoryTooShort as error:
        return f"there is no training window to compare with: {error}"
