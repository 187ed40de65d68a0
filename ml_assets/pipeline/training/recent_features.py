"""Days of features kept in memory, because the windows of consecutive models share most of their days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.pipeline.features.labelled_features import LabelledFeatures

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _ReadDay:
    fingerprint: int | None
    frame: "pd.DataFrame"


class RecentFeatures(LabelledFeatures):
    """Days of features with their labels; columns that were read are cached until the fingerprint of the day changes.

    The newest days are kept, up to one batch of rows (`training.batch_rows`): the window of the next model lacks the
    oldest day of this one. Labels from files of their own are read each time, because they depend on the day of the
    model. Frames are shared, so a caller must not change them.
    """

    _kept: dict[date, _ReadDay] | None = None

    def read(self, day: date, as_of: date, columns: Sequence[str]) -> "pd.DataFrame":
        """Read columns of a day of features without duplicates, with the target as of `as_of`."""
        target, names = self.spec.target, list(dict.fromkeys(columns))
        if not self.labels or target not in names:
            return self.read_features(day, names)
        rows = self.read_features(day, [name for name in names if name != target])
        return rows.assign(**{target: self.labels.column(day, as_of)})[names]

    def read_features(self, day: date, columns: Sequence[str]) -> "pd.DataFrame":
        """Read columns of the table of features of a day, without duplicates."""
        from ml_assets.core.tables.schemas import to_pandas

        names, fingerprint = list(dict.fromkeys(columns)), self.table.fingerprint(day)
        kept = self._kept.get(day) if self._kept else None
        before = list(kept.frame.columns) if kept and kept.fingerprint == fingerprint else []
        if kept is None or not before or not set(names) <= set(before):
            frame = to_pandas(self.table.read([day], list(dict.fromkeys([*before, *names]))))
            self._keep(day, _ReadDay(fingerprint, frame))
        else:
            frame = kept.frame
        return frame if list(frame.columns) == names else frame[names]

    def _keep(self, day: date, read_day: _ReadDay) -> None:
        if read_day.fingerprint is None:
            return
        kept = {**(self._kept or {}), day: read_day}
        while kept and sum(len(other.frame) for other in kept.values()) > self.spec.training.batch_rows:
            del kept[min(kept)]
        self._kept = kept
