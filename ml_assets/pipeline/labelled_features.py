"""Rows of features with the labels that count on a day, wherever labels come from."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.feed import rows_feed
from ml_assets.pipeline.features import FEATURES
from ml_assets.pipeline.inputs import fingerprints_of
from ml_assets.pipeline.labels import LabelsByKey
from ml_assets.resources.lake import Lake
from ml_assets.resources.landing import Landing

if TYPE_CHECKING:
    import pandas as pd


class LabelledFeatures:
    """The days of features of a model. labels: where they come from when they are not in the table of features."""

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing):
        from ml_assets.core.schemas import features_schema

        self.spec, self._landing = spec, landing
        self.table = lake.table(spec.name, FEATURES, features_schema(spec))
        self.labels = LabelsByKey(spec, lake, landing, self.table) if spec.labels else None

    def refresh(self) -> None:
        """See what has been made since."""
        self.table.refresh()
        if self.labels:
            self.labels.refresh()

    def inputs(self, days: Sequence[date], as_of: date, reader: str) -> list[list]:
        """[day, fingerprint] of some days of features, then [day, digest of the labels that its rows have on `as_of`] where these have files.

        Raises:
            InputExpired, CannotMake: as in `fingerprints_of`; `reader` is who reads them, for the message.
        """
        features = fingerprints_of(rows_feed(self.spec), self._landing, self.table, days, reader, FEATURES)
        return [*features, *(self.labels.inputs(days, as_of, reader) if self.labels else [])]

    def read(self, day: date, as_of: date, columns: Sequence[str]) -> "pd.DataFrame":
        """Columns of a day of features, each once, the target with the labels that count on `as_of`."""
        from ml_assets.core.schemas import to_pandas

        target, names = self.spec.target, list(dict.fromkeys(columns))
        if not self.labels or target not in names:
            return to_pandas(self.table.read([day], names))
        rows = to_pandas(self.table.read([day], [name for name in names if name != target]))
        return rows.assign(**{target: self.labels.column(day, as_of)})[names]
