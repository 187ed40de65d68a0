"""The join of late labels: the label of each row that is in effect on a given day."""

import hashlib
from datetime import date

import numpy as np
import pandas as pd

from ml_assets.core.features.key_index import microseconds
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.labels import KNOWN_AT
from ml_assets.core.tables.local_time import MICROSECONDS_PER_DAY, to_local
from ml_assets.core.tables.nul_characters import escape_nul


class RowLabels:
    """All labels that were delivered for the rows of one day, and those in effect on a given day.

    A label takes effect on the day of its file or, if later, on the day (in the time zone of the source) on which it
    became known. If a row has several labels, the one that became known last is in effect; of those known at the same
    moment, the one delivered last. Rows with the same key have the same label.
    """

    def __init__(self, spec: ModelSpec, keys: pd.DataFrame):
        """Index the columns of `labels.key` of the day's rows, in stored order. A row without a key has no label."""
        assert spec.labels is not None
        self._spec = spec
        self._names = spec.labels.key
        self._unlabelled = spec.labels.unlabelled
        is_complete = keys[self._names].notna().all(axis=1).to_numpy()
        codes, self._index = pd.factorize(self._keys(keys[is_complete]))
        self._code_of_row = np.full(len(keys), -1)
        self._code_of_row[is_complete] = codes
        # Rows: number of the key, time known (microseconds), day delivered, first day in effect, label; one column for
        # each label, sorted by the first three.
        self._labels = np.empty((5, 0), np.int64)

    def add(self, day: date, labels: pd.DataFrame) -> None:
        """Add the labels that were delivered on a day: the columns of the key, the target, and `known_at` (tz-aware).

        Labels of other rows are ignored.
        """
        positions = self._index.get_indexer(self._keys(labels))
        matching = np.flatnonzero(positions >= 0)
        known, delivered = labels[KNOWN_AT].iloc[matching], np.full(len(matching), _ordinal(day))
        effective_from = np.maximum(_days(known, self._spec.source.time_zone), delivered)
        values = labels[self._spec.target].iloc[matching].to_numpy(np.int64)
        added = np.stack([positions[matching], microseconds(known), delivered, effective_from, values])
        merged = np.concatenate([self._labels, added], axis=1)
        self._labels = merged[:, np.lexsort([merged[2], merged[1], merged[0]])]

    def effective_on(self, day: date) -> tuple[np.ndarray, np.ndarray]:
        """Return the keys that have a label on `day`, and their labels (0 or 1).

        Keys are numbered in the order of the rows, and returned in ascending order.
        """
        effective = self._labels[:, self._labels[3] <= _ordinal(day)]
        is_latest = np.append(effective[0, 1:] != effective[0, :-1], True) if effective.shape[1] else np.empty(0, bool)
        return effective[0, is_latest], effective[4, is_latest]

    def digest(self, day: date) -> str:
        """Return 16 hexadecimal digits over the labels in effect on `day`: equal labels give equal digits."""
        numbers, values = self.effective_on(day)
        return hashlib.sha256(numbers.tobytes() + b"/" + values.tobytes()).hexdigest()[:16]

    def column(self, day: date) -> pd.Series:
        """Return the target of every row in effect on `day`, with the nullable pandas type of the column.

        A row without a label is missing, or negative if `labels.unlabelled` says so.
        """
        numbers, values = self.effective_on(day)
        # One more entry, the last, for rows without a key.
        labels, known = (
            np.zeros(len(self._index) + 1, np.int64),
            np.full(len(self._index) + 1, self._unlabelled == "negative"),
        )
        labels[numbers], known[numbers] = values, True
        column = pd.Series(labels[self._code_of_row], dtype="Int64").where(known[self._code_of_row])
        return column.astype("boolean" if self._spec.columns[self._spec.target].type == "boolean" else "Int64")

    def count_late(self, on_time: date, day: date) -> tuple[int, int]:
        """Count late labels as of `day`: (keys whose first label took effect after `on_time`, keys with a label)."""
        effective = self._labels[:, self._labels[3] <= _ordinal(day)]
        first = np.full(len(self._index), np.iinfo(np.int64).max)
        np.minimum.at(first, effective[0], effective[3])
        numbers = np.unique(effective[0])
        return int(np.count_nonzero(first[numbers] > _ordinal(on_time))), len(numbers)

    def _keys(self, frame: pd.DataFrame) -> pd.Index:
        columns = [escape_nul(frame[name]) for name in self._names]
        return pd.MultiIndex.from_arrays(columns) if len(columns) > 1 else pd.Index(columns[0])


def _days(times: pd.Series, time_zone: str) -> np.ndarray:
    return to_local(microseconds(times), time_zone) // MICROSECONDS_PER_DAY


def _ordinal(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))
