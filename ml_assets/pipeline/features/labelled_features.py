"""Feature rows with their labels as of a day, from the rows themselves or from label files."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.features.inputs import days_read
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.training.time_split import split_days, training_days_read
from ml_assets.pipeline.asset_names import FEATURES, MODEL
from ml_assets.pipeline.engine.stage import InputChanged
from ml_assets.pipeline.engine.upstream import read_fingerprints
from ml_assets.pipeline.features.label_store import LabelsByKey
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd


class LabelledFeatures:
    """Days of features of a model with their labels.

    labels: the labels from files of their own; None if the labels are in the table of features.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing):
        from ml_assets.core.tables.schemas import features_schema

        self.spec = spec
        self.lake = lake
        self.landing = landing
        self.table = lake.table(spec.name, FEATURES, features_schema(spec))
        self.labels = LabelsByKey(spec, lake, landing, self.table) if spec.labels else None

    def refresh(self) -> None:
        """Reopen features and labels at their newest versions."""
        self.table.refresh()
        if self.labels:
            self.labels.refresh()

    def inputs(self, days: Sequence[date], as_of: date, reader: str) -> list[list]:
        """Return [day, fingerprint] of days of features, then, if labels come in files of their own, [day, digest of
        its labels].

        Args:
            days: days of features, ascending.
            as_of: the day on which the labels count.
            reader: name of the asset that reads them, for the error message.

        Raises:
            InputExpired, CannotMake: as in `read_fingerprints`.
        """
        reach = timedelta(days=days_read(self.spec)[-1])
        features = read_fingerprints(
            rows_feed(self.spec), self.lake, self.landing, self.table, days, reader, FEATURES, reach
        )
        return [*features, *(self.labels.inputs(days, as_of, reader) if self.labels else [])]

    def input_fingerprints(self, day: date) -> dict[str, dict[date, int]]:
        """Return the current fingerprints of the days that the model of a day reads.

        Returns:
            `features` holds the fingerprint of each feature day in its training window and in the window of its
            parameter search; `labels`, if labels come in files of their own, a digest of the labels of each day in its
            training window.

        Raises:
            HistoryTooShort: before the first day that has a model.
            CannotMake: when label files have landed and were never made.
        """
        features = {read: self.table.fingerprint(read) for read in training_days_read(self.spec, day)}
        fingerprints = {FEATURES: {read: value for read, value in features.items() if value is not None}}
        if self.labels:
            labels = self.labels.inputs(split_days(self.spec, day).window, day, f"the {MODEL} of {day}")
            fingerprints["labels"] = {date.fromisoformat(read): int(digest, 16) for read, digest in labels}
        return fingerprints

    def read(self, day: date, as_of: date, columns: Sequence[str]) -> "pd.DataFrame":
        """Read columns of a day of features without duplicates, with the target as of `as_of`."""
        from ml_assets.core.tables.schemas import to_pandas

        target, names = self.spec.target, list(dict.fromkeys(columns))
        if not self.labels or target not in names:
            return to_pandas(self.table.read([day], names))
        rows = to_pandas(self.table.read([day], [name for name in names if name != target]))
        return rows.assign(**{target: self.labels.column(day, as_of)})[names]


class TrainingRows:
    """Reader of target and features by day, with the labels as of one day.

    It can be pickled for another process, which opens lake and landing by their URIs with its own credentials and
    refuses days whose fingerprints differ from those in this process.

    Args:
        rows: the days of features.
        as_of: the day whose labels count.
        days: the days that will be read.
        expected: in another process, the fingerprints that these days had when the reader was sent there.
    """

    def __init__(
        self,
        rows: LabelledFeatures,
        as_of: date,
        days: Sequence[date],
        expected: Mapping[date, int | None] | None = None,
    ):
        self._rows = rows
        self._as_of = as_of
        self._days = list(days)
        self._expected = expected or {}

    def __call__(self, day: date) -> "pd.DataFrame":
        """Read target, weight and features of the rows of a day, in row order.

        Raises:
            InputChanged: in another process, when the day was computed again after the reader was sent there.
        """
        from ml_assets.core.training.batches import training_columns

        if self._expected and self._rows.table.fingerprint(day) != self._expected.get(day):
            raise InputChanged(f"the {FEATURES} of {day} were made again while they were used for {self._as_of}")
        return self._rows.read(day, self._as_of, training_columns(self._rows.spec))

    def __reduce__(self):
        rows = self._rows
        expected = {day: rows.table.fingerprint(day) for day in self._days}
        locations = (rows.lake.uri, dict(rows.lake.s3), rows.landing.uri, dict(rows.landing.s3))
        return _reopen_reader, (rows.spec.model_dump(mode="json"), *locations, self._as_of, expected)


def _reopen_reader(
    spec: dict, lake: str, lake_s3: dict, landing: str, landing_s3: dict, as_of: date, expected: dict[date, int | None]
) -> TrainingRows:
    rows = LabelledFeatures(
        ModelSpec.model_validate(spec), Lake(uri=lake, s3=lake_s3), Landing(uri=landing, s3=landing_s3)
    )
    return TrainingRows(rows, as_of, list(expected), expected)
