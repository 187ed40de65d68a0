"""Scored rows, and the metrics of the task of a model, with the columns of predictions that they are measured on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.core.metrics.multiclass import MulticlassMetrics
from ml_assets.core.metrics.paired_comparison import Measure, measure_decisions
from ml_assets.core.metrics.regression import RegressionMetrics
from ml_assets.core.model.target import encode_target
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.metric_names import compared_metrics, measured_metrics
from ml_assets.core.model_spec.types.task import BINARY, MULTICLASS, PREDICTION, REGRESSION, Outputs, column_part

CHAMPION_PREFIX, CHALLENGER_PREFIX = "champion_", "challenger_"


@dataclass(frozen=True)
class ScoredRows:
    """Labelled rows with the predictions of one model.

    targets: 0 or 1, positions of classes, or numbers, shape (n,). predictions: shape (n,) for scores, otherwise (n,
    columns). weights: sample weights above 0, shape (n,); None: every row counts once.
    """

    targets: NDArray
    predictions: NDArray[np.float64]
    weights: NDArray[np.float64] | None

    def select(self, is_member: NDArray[np.bool_]) -> "ScoredRows":
        """Return the rows of a mask."""
        weights = None if self.weights is None else self.weights[is_member]
        return ScoredRows(self.targets[is_member], self.predictions[is_member], weights)


@dataclass(frozen=True)
class TaskMetrics:
    """The metrics of the task of a model.

    outputs: the predictions of the model. target: column of the label. encode: converts labels to 0 and 1, to positions
    of classes, or to numbers, see `encode_target`. top_classes: k of top_k_accuracy. weight: column of the sample
    weight; None: every row counts once.
    """

    outputs: Outputs
    target: str
    encode: Callable[[pd.Series], NDArray]
    top_classes: int = 2
    weight: str | None = None

    @property
    def task(self) -> str:
        """Task of the model."""
        return self.outputs.task

    @property
    def is_binary(self) -> bool:
        """Whether the task is binary, so that there are decisions at a threshold."""
        return self.task == BINARY

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of predictions that are measured: the score; the prediction, then each quantile; or the probability
        of each class.
        """
        return (PREDICTION, *self.outputs.values) if self.outputs.quantiles else self.outputs.values

    @property
    def class_names(self) -> list[str]:
        """Names of the classes in the names of metrics."""
        return [column_part(label) for label in self.outputs.classes]

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the metrics on the holdout, in the order in which they are shown."""
        return measured_metrics(self.outputs)

    @property
    def compared(self) -> tuple[str, ...]:
        """Names of the metrics by which two models are compared."""
        return compared_metrics(self.outputs)

    def labelled(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with a target and a sample weight above 0."""
        counts = frame[self.target].notna()
        if self.weight is not None:
            counts &= frame[self.weight].fillna(0) > 0
        return frame.loc[counts]

    def read_rows(self, frame: pd.DataFrame, prefix: str = "") -> ScoredRows:
        """Read targets, predictions and weights of labelled rows.

        Args:
            frame: columns of the target, the predictions and the sample weight.
            prefix: prefix of the column names of the predictions.

        Raises:
            ValueError: a target or a prediction is not valid for the task.
        """
        predictions = self.read_predictions(frame, prefix)
        weights = None if self.weight is None else _floats(frame[self.weight])
        return ScoredRows(self.read_targets(frame[self.target]), predictions, weights)

    def read_targets(self, labels: pd.Series) -> NDArray:
        """Convert the target of labelled rows to 0 and 1 or positions of classes as integers, or to numbers.

        Raises:
            ValueError: a target is not valid for the task.
        """
        targets = self.encode(labels)
        return targets if self.task == REGRESSION else targets.astype(np.int64)

    def read_predictions(self, frame: pd.DataFrame, prefix: str = "") -> NDArray[np.float64]:
        """Read the predictions of rows, of shape (n,) for scores, otherwise (n, columns).

        Raises:
            ValueError: a prediction is missing or out of its range.
        """
        columns = [_floats(frame[f"{prefix}{column}"]) for column in self.columns]
        low, high = (-np.inf, np.inf) if self.task == REGRESSION else (0, 1)
        for column, values in zip(self.columns, columns, strict=True):
            if bad := np.count_nonzero(~((values >= low) & (values <= high) & np.isfinite(values))):
                kind = "score between 0 and 1" if self.task != REGRESSION else "prediction"
                raise ValueError(
                    f"{prefix}{column}: {bad} of {len(values)} labelled rows have no {kind}; score the holdout again"
                )
        return columns[0] if self.is_binary else np.column_stack(columns)

    def measure(self, threshold: float | None) -> Measure:
        """Return the measure for a model of the task; `threshold` is the lowest score of a positive decision."""
        if self.task == REGRESSION:
            return self._measure_regression
        if self.task == MULTICLASS:
            return self._measure_classes
        return partial(measure_decisions, threshold=np.nan if threshold is None else threshold)

    def _measure_regression(self, targets: NDArray, predictions: NDArray, weights: NDArray | None) -> RegressionMetrics:
        quantiles = dict(zip(self.outputs.quantiles, predictions.T[1:], strict=True))
        return RegressionMetrics(targets, predictions[:, 0], quantiles, weights)

    def _measure_classes(self, targets: NDArray, predictions: NDArray, weights: NDArray | None) -> MulticlassMetrics:
        return MulticlassMetrics(targets, predictions, self.class_names, self.top_classes, weights)


def task_metrics(spec: ModelSpec) -> TaskMetrics:
    """Return the metrics of the task of a specification."""
    return TaskMetrics(
        spec.outputs, spec.target, partial(encode_target, spec), spec.evaluation.top_classes, spec.sample_weight
    )


def _floats(column: pd.Series) -> NDArray[np.float64]:
    return np.asarray(column.astype("Float64").to_numpy(na_value=np.nan), dtype=np.float64)
