"""The labelled rows of many days, in batches of several small days."""

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from ml_assets.core.model.scorer import to_matrix
from ml_assets.core.model_spec import ModelSpec

ReadDay = Callable[[date], pd.DataFrame]
Batches = Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]


class LabelledDays:
    """Labelled rows of days; the frames of the first days, up to one batch of rows, are kept, because XGBoost asks for
    each day four times.
    """

    def __init__(self, spec: ModelSpec, read_day: ReadDay):
        self._spec, self.read_day = spec, read_day
        self._columns = list(dict.fromkeys([spec.target, *spec.feature_names()]))
        self._kept: dict[date, pd.DataFrame] = {}
        self._room = spec.training.batch_rows
        self.rows: dict[date, int] = {}
        """Labelled rows of each day that has been read."""

    def frame(self, day: date) -> pd.DataFrame:
        """Target and features of the labelled rows of a day.

        Raises:
            ValueError: when a column is missing; it names the day.
        """
        if (kept := self._kept.get(day)) is not None:
            return kept
        frame = self.read_day(day)
        if missing := [name for name in self._columns if name not in frame.columns]:
            raise ValueError(
                f"{self._spec.name}: the features of {day} have no column {', '.join(missing)}; make the features of "
                "that day again"
            )
        frame = frame.loc[frame[self._spec.target].notna(), self._columns]
        self.rows[day] = len(frame)
        if len(frame) <= self._room:
            self._kept[day] = frame
            self._room -= len(frame)
        return frame

    def labels(self, frame: pd.DataFrame) -> np.ndarray:
        """The target of the rows of a frame, as float32 for XGBoost."""
        return frame[self._spec.target].to_numpy(dtype=np.float32)

    def matrix(self, day: date, preprocessing: dict) -> tuple[np.ndarray, np.ndarray]:
        """(matrix, labels) of the labelled rows of a day.

        Raises:
            ValueError: when a column is missing or holds values of another kind; it names the day.
        """
        frame = self.frame(day)
        return of_day(day, partial(to_matrix, preprocessing, frame)), self.labels(frame)

    def batches(self, days: list[date], preprocessing: dict) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(matrix, labels) of consecutive days, of `batch_rows` rows or the first whole day past it; never empty."""
        parts, rows = [], 0
        for day in days:
            parts.append(self.matrix(day, preprocessing))
            rows += len(parts[-1][1])
            if rows >= self._spec.training.batch_rows or (day == days[-1] and rows):
                yield np.concatenate([matrix for matrix, _ in parts]), np.concatenate([labels for _, labels in parts])
                parts, rows = [], 0


def of_day(day: date, action: Callable):
    """The result of `action`; a ValueError that it raises names the day."""
    try:
        return action()
    except ValueError as error:
        raise ValueError(f"features of {day}: {error}") from error
