"""Rows of features with the labels that count on a day, wherever labels come from."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.pipeline.asset_names import FEATURES
from ml_assets.pipeline.engine.stage import InputChanged
from ml_assets.pipeline.engine.upstream import read_fingerprints
from ml_assets.pipeline.features.label_store import LabelsByKey
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd


class LabelledFeatures:
    """The days of features of a model. labels: where they come from when they are not in the table of features."""

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing):
        from ml_assets.core.tables.schemas import features_schema

        self.spec, self.lake, self.landing = spec, lake, landing
        self.table = lake.table(spec.name, FEATURES, features_schema(spec))
        self.labels = LabelsByKey(spec, lake, landing, self.table) if spec.labels else None

    def refresh(self) -> None:
        """See what has been made since."""
        self.table.refresh()
        if self.labels:
            self.labels.refresh()

    def inputs(self, days: Sequence[date], as_of: date, reader: str) -> list[list]:
        """[day, fingerprint] of some days of features, then [day, digest of the labels that its rows have on `as_of`]
        where these have files.

        Raises:
            InputExpired, CannotMake: as in `read_fingerprints`; `reader` is who reads them, for the message.
        """
        features = read_fingerprints(rows_feed(self.spec), self.landing, self.table, days, reader, FEATURES)
        return [*features, *(self.labels.inputs(days, as_of, reader) if self.labels else [])]

    def read(self, day: date, as_of: date, columns: Sequence[str]) -> "pd.DataFrame":
        """Columns of a day of features, each once, the target with the labels that count on `as_of`."""
        from ml_assets.core.tables.schemas import to_pandas

        target, names = self.spec.target, list(dict.fromkeys(columns))
        if not self.labels or target not in names:
            return to_pandas(self.table.read([day], names))
        rows = to_pandas(self.table.read([day], [name for name in names if name != target]))
        return rows.assign(**{target: self.labels.column(day, as_of)})[names]


class RowsToTrainOn:
    """Reads target and features of a day, with the labels that count on one day.

    It can be sent to another process: that opens lake and landing by their addresses, with the credentials that it
    finds itself, and makes sure that it reads the days that this process saw.

    Args:
        rows: the days of features.
        as_of: the day whose labels count.
        days: the days that will be read.
    """

    def __init__(self, rows: LabelledFeatures, as_of: date, days: Sequence[date]):
        self._rows, self._as_of, self._days = rows, as_of, list(days)
        self._expected: Mapping[date, int | None] = {}

    def __call__(self, day: date) -> "pd.DataFrame":
        """Target and features of the rows of a day, in their order.

        Raises:
            InputChanged: in another process, when the day was made again since this one was sent there.
        """
        if self._expected and self._rows.table.fingerprint(day) != self._expected.get(day):
            raise InputChanged(f"the {FEATURES} of {day} were made again while they were used for {self._as_of}")
        return self._rows.read(day, self._as_of, [self._rows.spec.target, *self._rows.spec.feature_names()])

    def __reduce__(self):
        rows = self._rows
        seen = {day: rows.table.fingerprint(day) for day in self._days}
        places = (rows.lake.uri, dict(rows.lake.s3), rows.landing.uri, dict(rows.landing.s3))
        return _open_elsewhere, (rows.spec.model_dump(mode="json"), *places, self._as_of, seen)


def _open_elsewhere(
    spec: dict, lake: str, lake_s3: dict, landing: str, landing_s3: dict, as_of: date, expected: dict[date, int | None]
) -> RowsToTrainOn:
    rows = LabelledFeatures(
        ModelSpec.model_validate(spec), Lake(uri=lake, s3=lake_s3), Landing(uri=landing, s3=landing_s3)
    )
    reader = RowsToTrainOn(rows, as_of, list(expected))
    reader._expected = expected
    return reader
