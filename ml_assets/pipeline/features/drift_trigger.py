"""Drift of the features of a day, as a reason to train."""

from datetime import date

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import FEATURES
from ml_assets.pipeline.features.checks import find_feature_drift
from ml_assets.pipeline.features.stage import FeatureEngineering


class DriftTrigger:
    """Makes a model due on days on which the check `feature_drift` fails, judged from committed profiles only."""

    def __init__(self, spec: ModelSpec, features: FeatureEngineering):
        self._spec = spec
        self._features = features
        self._reasons: dict[date, str | None] = {}

    def refresh(self) -> None:
        """Reopen the inputs at their newest versions."""
        self._reasons.clear()
        for table in self._features.tables.values():
            table.refresh()

    def reason(self, day: date) -> str | None:
        """Return why the features of a day drift; None if they do not drift or are not computed yet."""
        if self._features.tables[FEATURES].is_assumed(day):
            return None
        if day not in self._reasons:
            self._reasons[day] = find_feature_drift(self._spec, self._features, day)
        return self._reasons[day]
