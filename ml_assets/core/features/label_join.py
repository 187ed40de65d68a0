"""The join of late labels: the label of each row that is in effect on a given day."""

import hashlib
from datetime import date

import numpy as np
import pandas as pd

from ml_assets.core.features.key_index import microseconds
from ml_assets.core.model.target import negative_label
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.labels import KNOWN_AT
from ml_assets.core.tables.local_time import MICROSECONDS_PER_DAY, to_local
from ml_assets.core.tables.nul_characters import escape_nul
from ml_assets.core.tables.schemas import target_dtype


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
        # Rows: number of the key, time known (microseconds), day delivered, first day in effect, label (see `_encode`);
        # one column for each label, sorted by the first three.
        self._labels = np.empty((5, 0), np.int64)

    def add(self, day: date, labels: pd.DataFrame) -> None:
        """Add the labels that were delivered on a day: the columns of the key, the target, and `known_at` (tz-aware).

        Labels of other rows are ignored.
        """
        positions = self._index.get_indexer(self._keys(labels))
        matching = np.flatnonzero(positions >= 0)
        known, delivered = labels[KNOWN_AT].iloc[matching], np.full(len(matching), _ordinal(day))
        effective_from = np.maximum(_days(known, self._spec.source.time_zone), delivered)
        values = self._encode(labels[self._spec.target].iloc[matching])
        added = np.stack([positions[matching], microseconds(known), delivered, effective_from, values])
        merged = np.concatenate([self._labels, added], axis=1)
        self._labels = merged[:, np.lexsort([merged[2], merged[1], merged[0]])]

    def effective_on(self, day: date) -> tuple[np.ndarray, np.ndarray]:
        """Return the keys that have a label on `day`, and their encoded labels.

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
        count, has_negatives = len(self._index) + 1, self._unlabelled == "negative"
        labels = np.full(count, self._encode(pd.Series([negative_label(self._spec)]))[0] if has_negatives else 0)
        known = np.full(count, has_negatives)
        labels[numbers], known[numbers] = values, True
        return self._decode(labels[self._code_of_row], known[self._code_of_row])

    def _encode(self, values: pd.Series) -> np.ndarray:
        """Encode labels as int64: numbers as their bits, texts as their position among the allowed values."""
        column = self._spec.columns[self._spec.target]
        if column.type == "number":
            return values.to_numpy(np.float64).view(np.int64)
        if column.type == "string":
            return pd.Index(column.allowed or [], dtype=object).get_indexer(pd.Index(values, dtype=object))
        return values.to_numpy(np.int64)

    def _decode(self, labels: np.ndarray, known: np.ndarray) -> pd.Series:
        column = self._spec.columns[self._spec.target]
        if column.type == "number":
            return pd.Series(np.where(known, labels.view(np.float64), np.nan))
        if column.type == "string":
            return pd.Series(np.array(column.allowed or [""], dtype=object)[labels]).where(known, None)
        return pd.Series(labels, dtype="Int64").where(known).astype(target_dtype(self._spec))

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
