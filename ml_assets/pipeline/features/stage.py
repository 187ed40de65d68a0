"""Stage features: point-in-time features of a day's rows, from the validated days that their windows reach."""

from collections import OrderedDict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import CustomFeatures
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.tables.code_version import code_version
from ml_assets.pipeline.asset_names import FEATURE_METRICS, FEATURE_PROFILES, FEATURES, VALIDATED
from ml_assets.pipeline.engine.stage import StageOutput
from ml_assets.pipeline.engine.upstream import read_fingerprints
from ml_assets.pipeline.features.label_store import LabelsByKey, labels_part
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd


class FeatureEngineering:
    """Point-in-time features of the rows of a day, each built only from data known at the moment of its row.

    Inputs: the validated days that the windows reach.
    """

    name = FEATURES

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing):
        from ml_assets.core.features.point_in_time import columns_read, days_read, label_days_read
        from ml_assets.core.tables.schemas import (
            FEATURE_METRICS_SCHEMA,
            FEATURE_PROFILE_SCHEMA,
            features_schema,
            row_schema,
        )

        self.spec = spec
        self._lake = lake
        self._landing = landing
        hooks = [feature.function.split(":")[0] for feature in spec.features if isinstance(feature, CustomFeatures)]
        self.code = code_version(__name__, *hooks)
        columns = columns_read(spec)
        self.spec_part = {
            "features": [feature.model_dump(mode="json") for feature in spec.features],
            "columns": {name: spec.columns[name].type for name in columns},
            "identity": [spec.row_identity_columns(), spec.row_key, spec.event_time, spec.target],
            "label_delay": str(spec.label_delay) if hooks else None,
            "time_zone": spec.source.time_zone,
            # Bounds of metrics are left out: they evaluate a day and do not change it.
            "metrics": [
                spec.entity,
                *(metric.model_dump(mode="json", include={"name", "aggregate", "column"}) for metric in spec.metrics),
            ],
        }
        self._validated = lake.table(spec.name, VALIDATED, row_schema(rows_feed(spec)))
        self._columns = columns
        self._offsets = days_read(spec)
        self._label_offsets = label_days_read(spec) if spec.labels else []
        self._labels = LabelsByKey(spec, lake, landing, self._validated) if self._label_offsets else None
        if self._labels:
            self.spec_part["labels"] = labels_part(spec)
        self._frames: OrderedDict[date, pd.DataFrame] = OrderedDict()
        self.profiles = lake.table(spec.name, FEATURE_PROFILES, FEATURE_PROFILE_SCHEMA)
        self.metrics = lake.table(spec.name, FEATURE_METRICS, FEATURE_METRICS_SCHEMA)
        self.features = lake.table(spec.name, FEATURES, features_schema(spec))
        self.tables = {FEATURE_PROFILES: self.profiles, FEATURE_METRICS: self.metrics, FEATURES: self.features}

    def refresh(self) -> None:
        """Reopen the inputs at their newest versions."""
        self._validated.refresh()
        self._frames.clear()
        if self._labels:
            self._labels.refresh()

    def _days_back(self, day: date, offsets: list[int]) -> list[date]:
        days = (day - timedelta(days=offset) for offset in reversed(offsets))
        return [earlier for earlier in days if earlier >= self.spec.source.start]

    def inputs(self, day: date) -> list:
        """Return day and fingerprint of each validated day that is read, and the labels of those whose labels are
        read.
        """
        reader = f"the {FEATURES} of {day}"
        days = self._days_back(day, self._offsets)
        feed = rows_feed(self.spec)
        rows = read_fingerprints(feed, self._lake, self._landing, self._validated, days, reader, VALIDATED)
        if not self._labels:
            return rows
        return [*rows, *self._labels.inputs(self._days_back(day, self._label_offsets), day - timedelta(days=1), reader)]

    def make(self, day: date, single_partition: bool) -> StageOutput:
        """Build the features of one day with their profiles and metrics, keeping only the longest window in memory."""
        import pyarrow as pa

        from ml_assets.core.checks.feature_metrics import measure_features
        from ml_assets.core.features.point_in_time import build_features
        from ml_assets.core.profiling.target_leakage import feature_profiles

        built = build_features(self.spec, *self.read_rows_and_history(day))
        features = pa.Table.from_pandas(built, schema=self.features.schema.remove(0), preserve_index=False)
        metrics = pa.Table.from_pandas(
            measure_features(self.spec, built), schema=self.metrics.schema.remove(0), preserve_index=False
        )
        tables = {
            FEATURE_PROFILES: feature_profiles(self.spec, features, built),
            FEATURE_METRICS: metrics,
            FEATURES: features,
        }
        return StageOutput(tables, unread_tables={FEATURE_PROFILES, FEATURE_METRICS})

    def read_rows_and_history(self, day: date) -> "tuple[pd.DataFrame, pd.DataFrame]":
        """Read the rows of a day, and those of the earlier days that its features read, with the labels that counted
        when the day began.
        """
        import pandas as pd

        for outdated in [cached for cached in self._frames if cached < day - timedelta(days=self._offsets[-1])]:
            del self._frames[outdated]
        frames = [self._labelled_frame(day, earlier) for earlier in self._days_back(day, self._offsets)]
        history = [frame for frame in frames[:-1] if len(frame)] or [frames[-1].iloc[:0]]
        return frames[-1], pd.concat(history, ignore_index=True)

    def _labelled_frame(self, day: date, earlier: date) -> "pd.DataFrame":
        """Read the rows of an earlier day, or of the day itself, with the labels that counted when the day began."""
        import pandas as pd

        frame = self._frame(earlier)
        target = self.spec.target
        if not self._labels:
            return frame
        if (day - earlier).days in self._label_offsets:
            return frame.assign(**{target: self._labels.column(earlier, day - timedelta(days=1))})
        kind = "boolean" if self.spec.columns[target].type == "boolean" else "Int64"
        return frame.assign(**{target: pd.Series(pd.NA, index=frame.index, dtype=kind)})

    def _frame(self, day: date) -> "pd.DataFrame":
        from ml_assets.core.tables.schemas import to_pandas

        if day not in self._frames:
            self._frames[day] = to_pandas(self._validated.read([day], self._columns))
        return self._frames[day]
