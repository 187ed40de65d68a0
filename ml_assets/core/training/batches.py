"""The labelled rows of many days, in batches of several small days."""

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from ml_assets.core.model.scorer import to_matrix
from ml_assets.core.model.target import encode_target
from ml_assets.core.model_spec import ModelSpec

ReadDay = Callable[[date], pd.DataFrame]


class Batch(NamedTuple):
    """Rows for XGBoost: matrix of float32 of shape (rows, columns), labels and weights of float32 of shape (rows,);
    without a column of weights, weights are None.
    """

    matrix: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None

    @classmethod
    def join(cls, parts: "list[Batch]") -> "Batch":
        """Join the rows of batches in their order."""
        if len(parts) == 1:
            return parts[0]
        weights = [part.weights for part in parts if part.weights is not None]
        return cls(
            np.concatenate([part.matrix for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate(weights) if weights else None,
        )

    def rows(self, first: int, last: int) -> "Batch":
        """Return the rows from position `first` to the one before `last`."""
        return Batch(
            self.matrix[first:last],
            self.labels[first:last],
            None if self.weights is None else self.weights[first:last],
        )


Batches = Callable[[], Iterator[Batch]]


class LabelledDays:
    """Labelled rows of days, with a cache of the first days up to one batch of rows, because training reads each day
    several times: to fit the preprocessing, to build matrices and to score.
    """

    def __init__(self, spec: ModelSpec, read_day: ReadDay):
        self._spec, self.read_day = spec, read_day
        self._columns = training_columns(spec)
        self._cache: dict[date, pd.DataFrame] = {}
        self._free_rows = spec.training.batch_rows
        self._preprocessing: dict | None = None
        self._matrices: dict[date, Batch] = {}
        self.rows: dict[date, int] = {}
        """Number of labelled rows of each day that has been read."""

    def frame(self, day: date) -> pd.DataFrame:
        """Return target, weight and features of the labelled rows of a day.

        Raises:
            ValueError: names the day, when a column is missing.
        """
        if (cached := self._cache.get(day)) is not None:
            return cached
        frame = self.read_day(day)
        if missing := [name for name in self._columns if name not in frame.columns]:
            raise ValueError(
                f"{self._spec.name}: the features of {day} have no column {', '.join(missing)}; recompute the features "
                "of that day"
            )
        is_labelled = frame[self._spec.target].notna()
        frame = frame[self._columns] if is_labelled.all() else frame.loc[is_labelled, self._columns]
        self.rows[day] = len(frame)
        if len(frame) <= self._free_rows:
            self._cache[day] = frame
            self._free_rows -= len(frame)
        return frame

    def labels(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the target of the rows of a frame as float32, see `encode_target`; infinite where it is too large."""
        with np.errstate(over="ignore"):
            return encode_target(self._spec, frame[self._spec.target]).astype(np.float32)

    def weights(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Return the weights of the rows of a frame as float32; None without a column of weights."""
        weight = self._spec.sample_weight
        with np.errstate(over="ignore"):
            return None if weight is None else frame[weight].to_numpy(dtype=np.float32)

    def matrix(self, day: date, preprocessing: dict) -> Batch:
        """Return the feature matrix, labels and weights of the labelled rows of a day.

        Raises:
            ValueError: names the day, when a column is missing or has values of another type.
        """
        if self._preprocessing is not preprocessing:
            self._preprocessing = preprocessing
            self._matrices = {}
        if (cached := self._matrices.get(day)) is not None:
            return cached
        frame = self.frame(day)
        matrix = call_for_day(day, partial(to_matrix, preprocessing, frame))
        batch = Batch(matrix, self.labels(frame), self.weights(frame))
        if day in self._cache:
            self._matrices[day] = batch
        return batch

    def is_one_batch(self, days: list[date]) -> bool:
        """Return whether the rows of these days fit into one batch; each day must have been read."""
        return sum(self.rows[day] for day in days) <= self._spec.training.batch_rows

    def batches(self, days: list[date], preprocessing: dict) -> Iterator[Batch]:
        """Yield non-empty batches of consecutive days, each but the last with at least `batch_rows` rows."""
        parts: list[Batch] = []
        rows = 0
        for day in days:
            parts.append(self.matrix(day, preprocessing))
            rows += len(parts[-1].labels)
            if rows >= self._spec.training.batch_rows or (day == days[-1] and rows):
                yield Batch.join(parts)
                parts, rows = [], 0


def training_columns(spec: ModelSpec) -> list[str]:
    """Return the columns that training reads: target, weight and features, each once."""
    weight = [spec.sample_weight] if spec.sample_weight else []
    return list(dict.fromkeys([spec.target, *weight, *spec.feature_names()]))


def call_for_day(day: date, action: Callable):
    """Return the result of `action`, and add the day to the message of a ValueError that it raises."""
    try:
        return action()
    except ValueError as error:
        raise ValueError(f"features of {day}: {error}") from error
