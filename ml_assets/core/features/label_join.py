"""Labels that become known after their rows: which label of each row counts on a given day."""

import hashlib
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ml_assets.core.features.key_index import microseconds
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.labels import KNOWN_AT


class RowLabels:
    """Every label that the rows of one day ever got, and which of them counts on a given day.

    A label counts from the day of its file on, or from the day (of the time zone of the source) on which it became
    known, if that is later. Of several labels of a row the one that became known last counts; of those known at the
    same moment, the one delivered last. Rows with the same key have the same label.
    """

    def __init__(self, spec: ModelSpec, keys: pd.DataFrame):
        """Take the columns of `labels.key` of the day's rows, in the order in which the day is stored. A row without a
        key has no label.
        """
        assert spec.labels is not None
        self._spec, self._names, self._unlabelled = spec, spec.labels.key, spec.labels.unlabelled
        whole = keys[self._names].notna().all(axis=1).to_numpy()
        codes, self._index = pd.factorize(self._keys(keys[whole]))
        self._code_of_row = np.full(len(keys), -1)
        self._code_of_row[whole] = codes
        self._found = np.empty((5, 0), np.int64)

    def add(self, day: date, labels: pd.DataFrame) -> None:
        """Take the labels that were delivered on a day: the columns of the key, the target, and `known_at` (tz-aware);
        others' rows are ignored.
        """
        positions = self._index.get_indexer(self._keys(labels))
        hit = np.flatnonzero(positions >= 0)
        known, delivered = labels[KNOWN_AT].iloc[hit], np.full(len(hit), _ordinal(day))
        counts_from = np.maximum(_days(known, self._spec.source.time_zone), delivered)
        values = labels[self._spec.target].iloc[hit].to_numpy(np.int64)
        found = np.concatenate(
            [self._found, np.stack([positions[hit], microseconds(known), delivered, counts_from, values])], axis=1
        )
        self._found = found[:, np.lexsort([found[2], found[1], found[0]])]

    def on(self, day: date) -> tuple[np.ndarray, np.ndarray]:
        """(numbers of the keys that have a label on `day`, ascending, keys numbered in the order of the rows; their
        labels, 0 or 1).
        """
        found = self._found[:, self._found[3] <= _ordinal(day)]
        last = np.append(found[0, 1:] != found[0, :-1], True) if found.shape[1] else np.empty(0, bool)
        return found[0, last], found[4, last]

    def digest(self, day: date) -> str:
        """16 hexadecimal digits over the labels that count on `day`: the same digits, the same labels."""
        numbers, values = self.on(day)
        return hashlib.sha256(numbers.tobytes() + b"/" + values.tobytes()).hexdigest()[:16]

    def column(self, day: date) -> pd.Series:
        """The target of every row as it counts on `day`, with pandas' nullable type of the column.

        A row without a label is missing, or negative when `labels.unlabelled` says so.
        """
        numbers, values = self.on(day)
        # One place more, the last, for rows without a key.
        labels, known = (
            np.zeros(len(self._index) + 1, np.int64),
            np.full(len(self._index) + 1, self._unlabelled == "negative"),
        )
        labels[numbers], known[numbers] = values, True
        column = pd.Series(labels[self._code_of_row], dtype="Int64").where(known[self._code_of_row])
        return column.astype("boolean" if self._spec.columns[self._spec.target].type == "boolean" else "Int64")

    def count_late(self, on_time: date, day: date) -> tuple[int, int]:
        """(keys whose first label counts only after the day `on_time`, keys that have a label) on `day`."""
        found = self._found[:, self._found[3] <= _ordinal(day)]
        first = np.full(len(self._index), np.iinfo(np.int64).max)
        np.minimum.at(first, found[0], found[3])
        numbers = np.unique(found[0])
        return int(np.count_nonzero(first[numbers] > _ordinal(on_time))), len(numbers)

    def _keys(self, frame: pd.DataFrame) -> pd.Index:
        return pd.MultiIndex.from_frame(frame[self._names]) if len(self._names) > 1 else pd.Index(frame[self._names[0]])


def _days(times: pd.Series, time_zone: str) -> np.ndarray:
    local = pd.DatetimeIndex(times).tz_convert(ZoneInfo(time_zone)).tz_localize(None)
    return local.to_numpy().astype("datetime64[D]").astype(np.int64)


def _ordinal(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))
