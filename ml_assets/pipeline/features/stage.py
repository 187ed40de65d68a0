"""Stage features: point-in-time features of a day's rows, from the validated days that their windows reach."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.features import CustomFeatures
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.tables.code_version import code_version
from ml_assets.pipeline.asset_names import FEATURE_METRICS, FEATURE_PROFILES, FEATURES, VALIDATED
from ml_assets.pipeline.engine.stage import StageOutput
from ml_assets.pipeline.engine.upstream import read_fingerprints
from ml_assets.pipeline.features.label_store import LabelsByKey, labels_part
from ml_assets.pipeline.features.task_part import task_part
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
        from ml_assets.core.features.inputs import columns_read, days_read, history_columns_read, label_days_read
        from ml_assets.core.features.memory_estimate import bytes_per_row
        from ml_assets.core.tables.schemas import (
            FEATURE_METRICS_SCHEMA,
            feature_profile_schema,
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
            **task_part(spec),
            "label_delay": str(spec.label_delay) if hooks else None,
            "time_zone": spec.source.time_zone,
            # Bounds of metrics are left out: they evaluate a day and do not change it.
            "metrics": [
                spec.entity,
                *(metric.model_dump(mode="json", include={"name", "aggregate", "column"}) for metric in spec.metrics),
            ],
        }
        self._validated = lake.table(spec.name, VALIDATED, row_schema(rows_feed(spec)))
        self._columns, self._history_columns = columns, history_columns_read(spec)
        self._bytes_per_row = bytes_per_row(spec)
        self._offsets = days_read(spec)
        self._label_offsets = label_days_read(spec) if spec.labels else []
        self._labels = LabelsByKey(spec, lake, landing, self._validated) if self._label_offsets else None
        if self._labels:
            self.spec_part["labels"] = labels_part(spec)
        self.profiles = lake.table(spec.name, FEATURE_PROFILES, feature_profile_schema(spec))
        self.metrics = lake.table(spec.name, FEATURE_METRICS, FEATURE_METRICS_SCHEMA)
        self.features = lake.table(spec.name, FEATURES, features_schema(spec))
        self.tables = {FEATURE_PROFILES: self.profiles, FEATURE_METRICS: self.metrics, FEATURES: self.features}

    def __reduce__(self) -> tuple[object, ...]:
        """Send the stage to another process, which opens its tables."""
        return type(self), (self.spec, self._lake, self._landing)

    def refresh(self) -> None:
        """Reopen the inputs at their newest versions."""
        self._validated.refresh()
        if self._labels:
            self._labels.refresh()

    def _days_back(self, day: date, offsets: list[int]) -> list[date]:
        days = (day - timedelta(days=offset) for offset in reversed(offsets))
        return [earlier for earlier in days if earlier >= self.spec.source.start]

    def inputs(self, day: date) -> list:
        """Return day and fingerprint of each validated day that is read, and of its labels if they are read."""
        reader = f"the {FEATURES} of {day}"
        days = self._days_back(day, self._offsets)
        feed = rows_feed(self.spec)
        rows = read_fingerprints(feed, self._lake, self._landing, self._validated, days, reader, VALIDATED)
        if not self._labels:
            return rows
        return [*rows, *self._labels.inputs(self._days_back(day, self._label_offsets), day - timedelta(days=1), reader)]

    def memory(self, days: Sequence[date]) -> int:
        """Estimate the bytes that a chunk of days takes: its history, its rows and their features."""
        counts = self._validated.row_counts()
        history = sum(counts.get(day, 0) for day in self._history(days))
        rows = sum(counts.get(day, 0) for day in days)
        return history * self._bytes_per_row.history + rows * self._bytes_per_row.rows

    def make(self, days: Sequence[date], single_partition: bool) -> Iterator[StageOutput]:
        """Build the features of a chunk of days, and profiles and metrics of each day."""
        from ml_assets.core.features.point_in_time import build_features

        counts = [self._validated.row_counts().get(day, 0) for day in days]
        rows, history = self._read(days, self._columns), self._read(self._history(days), self._history_columns)
        labels = self._labels_as_of([*self._history(days), *days]) if self._labels else None
        built = build_features(self.spec, rows, history, labels)
        ends = list(accumulate(counts))
        return (self._output(built.iloc[end - rows : end]) for rows, end in zip(counts, ends, strict=True))

    def _output(self, built: "pd.DataFrame") -> StageOutput:
        import pyarrow as pa

        from ml_assets.core.checks.feature_metrics import measure_features
        from ml_assets.core.profiling.target_leakage import feature_profiles

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
        """Read the rows of a day and of the earlier days that its features read, with the labels known when the day
        began.
        """
        history_days = self._history([day])
        rows, history = self._read([day], self._columns), self._read(history_days, self._columns)
        if not self._labels:
            return rows, history
        target = self._labels_as_of([*history_days, day])(day).array
        split = len(history)
        return rows.assign(**{self.spec.target: target[split:]}), history.assign(**{self.spec.target: target[:split]})

    def _history(self, days: Sequence[date]) -> list[date]:
        """List the days before the first of some consecutive days that their features read, ascending."""
        read = {earlier for day in days for earlier in self._days_back(day, self._offsets)}
        return sorted(earlier for earlier in read if earlier < days[0])

    def _labels_as_of(self, days: Sequence[date]) -> "Callable[[date], pd.Series]":
        """Return a function from a day to the target of the rows of `days` as known when the day begins; missing where
        the features of the day do not read it.
        """
        import pandas as pd

        from ml_assets.core.tables.schemas import target_dtype

        labels, counts = self._labels, self._validated.row_counts()
        assert labels
        kind = target_dtype(self.spec)

        def labels_as_of(day: date) -> pd.Series:
            parts = [
                labels.column(earlier, day - timedelta(days=1))
                if (day - earlier).days in self._label_offsets
                else pd.Series(None, index=range(counts.get(earlier, 0)), dtype=kind)
                for earlier in days
            ]
            return pd.concat(parts, ignore_index=True)

        return labels_as_of

    def _read(self, days: Sequence[date], columns: list[str]) -> "pd.DataFrame":
        from ml_assets.core.tables.schemas import to_pandas

        return to_pandas(self._validated.read(days, columns))
