"""The checks of features, from the tables that are committed with each day: nothing but profiles and figures is read, once for all days of a run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.findings import Finding, with_accepted
from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.features import Calendar
from ml_assets.core.splits import HistoryTooShort, split_days
from ml_assets.core.warm_up import complete_from
from ml_assets.pipeline.check_results import Judged, check_spec
from ml_assets.pipeline.drift_checks import judge_drift, read_days

if TYPE_CHECKING:
    from ml_assets.core.leaks import Power
    from ml_assets.core.profiles import Profile
    from ml_assets.pipeline.features import FeatureEngineering

# Parts of the date, which have one value all day.
CONSTANT_PARTS = ("weekday", "weekend", "month")
_ABOUT = {
    "no_infinities": "Fails when a feature has an infinite value.",
    "missing_share": "Fails when a feature is missing in too many rows, once all days that it sees are there.",
    "not_constant": "Fails when a feature has one value all day, where by the training window that cannot be chance.",
    "no_leak": "Fails when one feature alone tells the label: it looks like the label in another form.",
    "feature_drift": "Fails when a feature is distributed otherwise than in the training window of the day's model.",
    "same_when_scored": "Fails when features of the newest day come out otherwise when they are built moment by moment, as they are when scored.",
    "feature_metrics": "Fails when a figure of the day is outside its bounds.",
}


def feature_checks(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of features that are not switched off; no_leak only where the labels are in the rows."""
    settings = dict(spec.checks.enabled())
    names = [name for name in _ABOUT if name in settings and (name != "no_leak" or spec.labels is None)]
    return [check_spec(name, key, settings[name], _ABOUT[name]) for name in names]


def judge_features(spec: ModelSpec, stage: "FeatureEngineering", days: Sequence[date], key: dg.AssetKey) -> Iterator[Judged]:
    """What the checks of features find on the days of a run."""
    of_run = _Run(spec, stage, days)
    for check in feature_checks(spec, key):
        found, picture = getattr(of_run, check.name)()
        yield Judged(key, check.name, with_accepted(spec.checks, found), picture)


Found = tuple[list[Finding], bytes | None]


class _Run:
    """The days of a run, and what their checks compare them with; each method is the check of its name."""

    def __init__(self, spec: ModelSpec, stage: "FeatureEngineering", days: Sequence[date]) -> None:
        self._spec, self._checks, self._stage, self._days = spec, spec.checks, stage, days
        self._complete = complete_from(spec)
        self._windows = {day: _training_window(spec, day) for day in days}
        constant = {name for feature in spec.features if isinstance(feature, Calendar) for name in _constant_names(feature)}
        self._varying = [name for name in spec.feature_names() if name not in constant]

    @cached_property
    def _known(self) -> dict[date, dict[str, "Profile"]]:
        compared = {day for window in self._windows.values() if not isinstance(window, str) for day in window}
        return read_days(self._stage.profiles, compared | set(self._days))

    @cached_property
    def _powers(self) -> dict[date, dict[str, "Power"]]:
        from ml_assets.core.leaks import Power
        from ml_assets.core.schemas import SINGLE_FEATURE_POWER

        powers: dict[date, dict[str, Power]] = {}
        for row in self._stage.profiles.read(self._days, ["day", "name", *SINGLE_FEATURE_POWER.names]).to_pylist():
            day, name = row.pop("day"), row.pop("name")
            powers.setdefault(day, {})[name] = Power(**row)
        return powers

    def _references(self, day: date) -> "Mapping[str, list[Profile]] | str":
        """The profiles of the training window by feature, of those that vary and of days on which all is there that the feature sees."""
        window = self._windows[day]
        if isinstance(window, str):
            return window
        used = {name: [one for one in window if one >= self._complete[name] and name in self._known.get(one, ())] for name in self._varying}
        return {name: [self._known[one][name] for one in of_name] for name, of_name in used.items() if day >= self._complete[name]}

    def _each(self, check: str, judge: "Callable[[date, dict[str, Profile]], Finding]") -> Found:
        severity = getattr(self._checks, check).severity
        there, nothing = self._known, "the day has no rows"
        return [judge(day, there[day]) if day in there else Finding(check, day, None, nothing, severity) for day in self._days], None

    def no_infinities(self) -> Found:
        from ml_assets.core.feature_findings import infinities_finding

        settings = self._checks.no_infinities
        assert settings
        return self._each("no_infinities", lambda day, profiles: infinities_finding("no_infinities", day, profiles, settings))

    def missing_share(self) -> Found:
        from ml_assets.core.feature_findings import missing_finding

        settings = self._checks.missing_share
        assert settings
        return self._each("missing_share", lambda day, profiles: missing_finding("missing_share", day, profiles, self._complete, settings))

    def not_constant(self) -> Found:
        from ml_assets.core.feature_findings import constant_finding

        check, settings = "not_constant", self._checks.not_constant
        assert settings

        def judge(day: date, profiles: "dict[str, Profile]") -> Finding:
            compared = self._references(day)
            if isinstance(compared, str):
                return Finding(check, day, None, compared, settings.severity)
            return constant_finding(check, day, profiles, compared, settings)

        return self._each(check, judge)

    def no_leak(self) -> Found:
        from ml_assets.core.feature_findings import leak_finding

        settings = self._checks.no_leak
        assert settings
        return self._each("no_leak", lambda day, profiles: leak_finding("no_leak", day, self._powers[day], settings))

    def feature_drift(self) -> Found:
        settings = self._checks.feature_drift
        assert settings

        def references(day: date) -> "Mapping[str, list[Profile]] | str":
            found = self._references(day)
            return found if isinstance(found, str) else {name: used for name, used in found.items() if name not in settings.leave_out}

        return judge_drift("feature_drift", settings, self._days, self._known, references)

    def same_when_scored(self) -> Found:
        from ml_assets.pipeline.scored_features import scored_finding

        settings = self._checks.same_when_scored
        assert settings
        others = "only the newest day of a run is judged"
        earlier = [Finding("same_when_scored", day, None, others, settings.severity) for day in self._days[:-1]]
        return [*earlier, scored_finding(self._spec, self._stage, self._days[-1], settings.severity)], None

    def feature_metrics(self) -> Found:
        from ml_assets.core.feature_metrics import judge_metrics

        settings = self._checks.feature_metrics
        assert settings
        values: dict[date, dict[str, float]] = {}
        for row in self._stage.metrics.read(self._days, ["day", "metric", "value"]).to_pylist():
            values.setdefault(row["day"], {})[row["metric"]] = row["value"] if row["value"] is not None else float("nan")
        return [judge_metrics(self._spec, "feature_metrics", day, values.get(day, {}), settings.severity) for day in self._days], None


def _constant_names(feature: Calendar) -> list[str]:
    return [name for part, name in zip(feature.parts, feature.names(), strict=True) if part in CONSTANT_PARTS]


def _training_window(spec: ModelSpec, day: date) -> list[date] | str:
    try:
        return split_days(spec, day).window
    except HistoryTooShort as error:
        return f"there is no training window to compare with: {error}"
