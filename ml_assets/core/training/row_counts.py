"""Counts of the labelled rows in the parts of a training window, and the check that they are enough to train on."""

from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np

from ml_assets.core.counts import count
from ml_assets.core.model.preprocessing import PreprocessingFit
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, REGRESSION
from ml_assets.core.training.batches import LabelledDays, call_for_day
from ml_assets.core.training.time_split import Split


class TrainingDataError(ValueError):
    """A training window without rows, or without one of the two classes where both are needed."""


@dataclass(frozen=True)
class Counts:
    """Labelled rows of some days.

    rows: their number. weight: sum of their weights, which are 1 without a column of weights. classes: rows of each
    class, negatives before positives for a binary target; empty for a regression. names: the classes of a multiclass
    target.
    """

    rows: int
    weight: float
    classes: tuple[int, ...] = ()
    names: tuple[object, ...] = ()

    @property
    def positives(self) -> int | None:
        """Rows of the positive class; None unless the target is binary."""
        return None if self.names or not self.classes else self.classes[1]

    def __add__(self, other: "Counts") -> "Counts":
        classes = tuple(before + more for before, more in zip(self.classes, other.classes, strict=True))
        return Counts(self.rows + other.rows, self.weight + other.weight, classes, self.names)

    def __str__(self) -> str:
        if self.names:
            classes = ", ".join(f"{count} of {name}" for name, count in zip(self.names, self.classes, strict=True))
            return f"{self.rows} labelled rows ({classes})"
        return f"{self.rows} labelled rows" + (f", {self.classes[1]} of them positive" if self.classes else "")


def count_rows(spec: ModelSpec, days: LabelledDays, part: list[date], fitting: PreprocessingFit) -> Counts:
    """Count the rows of a part of the window, and fit the preprocessing to it.

    Args:
        spec: the model.
        days: the rows.
        part: the days of the part.
        fitting: the preprocessing.

    Raises:
        ValueError: names the day, when it has values of another type.
        TrainingDataError: names the day and the column, when a target or a weight is too large for XGBoost.
    """
    number = {BINARY: 2, MULTICLASS: len(spec.classes), REGRESSION: 0}[spec.task]
    rows, weight, classes = 0, 0.0, np.zeros(number, dtype=np.int64)
    for day in part:
        frame = days.frame(day)
        call_for_day(day, partial(fitting.add, frame))
        weights = days.weights(frame)
        if spec.task == REGRESSION:
            _check_size(spec, day, spec.target, days.labels(frame))
        if weights is not None:
            _check_size(spec, day, spec.sample_weight or "", weights)
        rows, weight = rows + len(frame), weight + (len(frame) if weights is None else float(weights.sum()))
        if number:
            classes += np.bincount(days.labels(frame).astype(np.int64), minlength=number)
    return Counts(rows, weight, tuple(classes.tolist()), tuple(spec.classes))


def _check_size(spec: ModelSpec, day: date, column: str, values: np.ndarray) -> None:
    """Refuse values that became infinite as float32; XGBoost would refuse them without naming column and day."""
    if too_large := np.count_nonzero(np.isinf(values)):
        raise TrainingDataError(
            f"{spec.name}: {column} of {day} is larger than {np.finfo(np.float32).max:.2g}, the largest number that "
            f"XGBoost takes, in {count(too_large, 'row')}; correct the rows, or set columns.{column}.maximum"
        )


def describe_part(name: str, days: list[date]) -> str:
    """Describe a part of the window with its days."""
    return f"the {name} part of the training window ({days[0]} to {days[-1]}, {count(len(days), 'day')})"


def check_counts(spec: ModelSpec, split: Split, fit: Counts, validation: Counts) -> None:
    """Check that there is enough to train on.

    Both parts need rows with a weight. A binary target needs both classes in both parts. A multiclass target needs two
    classes in the fit part, because a rare class may be missing on some days.

    Raises:
        TrainingDataError: names the part and its counts.
    """
    window = split.window
    if fit.rows + validation.rows == 0:
        value = f"labels in the files {spec.labels.files}" if spec.labels else f"a value of the target {spec.target}"
        raise TrainingDataError(
            f"{spec.name}: the training window ({window[0]} to {window[-1]}, {count(len(window), 'day')}) has no "
            f"labelled rows; check that these days have landed, were not rejected by quality, and have {value}"
        )
    for name, field, days, counts in [
        ("fit", "window", split.fit, fit),
        ("validation", "validation", split.validation, validation),
    ]:
        if needed := _lacking(spec, name, counts):
            raise TrainingDataError(
                f"{spec.name}: {describe_part(name, days)} has {counts}, but {needed}; check whether these days were "
                f"rejected by quality and the values of the target {spec.target}, or lengthen training.{field}"
            )


def _lacking(spec: ModelSpec, name: str, counts: Counts) -> str | None:
    """Describe the requirement that a part does not meet; None if it meets all."""
    present = sum(count > 0 for count in counts.classes)
    if spec.task == BINARY and present < 2:
        return "both classes are needed"
    if not counts.rows:
        return "rows are needed"
    if spec.task == MULTICLASS and name == "fit" and present < 2:
        return "two classes are needed"
    return f"their weights in {spec.sample_weight} are all 0" if not counts.weight else None
