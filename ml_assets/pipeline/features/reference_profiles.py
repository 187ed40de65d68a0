"""Feature profiles of the training window of a day's model, as the reference for comparisons."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from ml_assets.core.features.warm_up import find_first_complete_days
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import Calendar
from ml_assets.core.training.time_split import HistoryTooShort, split_days
from ml_assets.pipeline.validation.drift_checks import read_profiles_by_day

if TYPE_CHECKING:
    from ml_assets.core.profiling.profiles import Profile
    from ml_assets.resources.lake.table import Table

# A reference needs every weekday several times.
MIN_DRIFT_DAYS = 28
# Calendar parts that have the same value for all rows of a day.
CONSTANT_PARTS = ("weekday", "weekend", "month")


class ReferenceProfiles:
    """Profiles of some days and of the training windows of their models, read at once.

    Args:
        spec: the model.
        table: the table feature_profiles.
        days: the days that are compared.
    """

    def __init__(self, spec: ModelSpec, table: "Table", days: Sequence[date]) -> None:
        self._table = table
        self._days = days
        self.first_complete_days = find_first_complete_days(spec)
        self._windows = {day: _training_window(spec, day) for day in days}
        constant = {
            name for feature in spec.features if isinstance(feature, Calendar) for name in _constant_names(feature)
        }
        self._varying = [name for name in spec.feature_names() if name not in constant]

    @cached_property
    def profiles(self) -> "dict[date, dict[str, Profile]]":
        """Profiles of the days and of the days of their windows, by feature."""
        windows = [window for window in self._windows.values() if not isinstance(window, str)]
        reference_days = {day for window in windows for day in _extended(window, MIN_DRIFT_DAYS)}
        return read_profiles_by_day(self._table, reference_days | set(self._days))

    def of(self, day: date, min_days: int = 0) -> "Mapping[str, dict[date, Profile]] | str":
        """Return the profiles of the training window by feature, or the reason why there are none.

        Features that are constant within a day are left out, and so are days before all inputs of a feature exist. A
        window of fewer than `min_days` days is extended into the past.
        """
        window = self._windows[day]
        if isinstance(window, str):
            return window
        return {
            name: {
                earlier: self.profiles[earlier][name]
                for earlier in _extended(window, min_days)
                if earlier >= self.first_complete_days[name] and name in self.profiles.get(earlier, ())
            }
            for name in self._varying
            if day >= self.first_complete_days[name]
        }


def drift_reference_days(spec: ModelSpec, day: date) -> list[date]:
    """List the days of the reference of `feature_drift`; none before there is a training window."""
    window = _training_window(spec, day)
    return [] if isinstance(window, str) else _extended(window, MIN_DRIFT_DAYS)


def _constant_names(feature: Calendar) -> list[str]:
    return [name for part, name in zip(feature.parts, feature.names(), strict=True) if part in CONSTANT_PARTS]


def _extended(window: Sequence[date], min_days: int) -> list[date]:
    days = max(len(window), min_days)
    return [window[-1] - timedelta(days=back) for back in range(days - 1, -1, -1)]


def _training_window(spec: ModelSpec, day: date) -> list[date] | str:
    try:
        return split_days(spec, day).window
    except HistoryTooShort as error:
        return f"there is no training window to compare with: {error}"
