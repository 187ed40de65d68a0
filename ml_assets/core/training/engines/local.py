"""The local engine: boosting in this process, with quantized rows in memory or in files of a temporary directory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from ml_assets.core.metrics.pr_curve_area import PrCurveArea
from ml_assets.core.model.scorer import column_types
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import BINARY
from ml_assets.core.training.batches import Batches, LabelledDays
from ml_assets.core.training.boosting import OnRound, Segment, Train, stopping_metric, to_bytes, training_callback
from ml_assets.core.training.engines.temporary_directory import temporary_directory

if TYPE_CHECKING:
    from xgboost import DMatrix

# With less work per thread, threads spend more time waiting for each other than working.
VALUES_PER_THREAD = 250_000


class LocalEngine:
    """Trains in this process, on rows that XGBoost quantizes batch by batch.

    In memory, XGBoost keeps bins by row and by column, and some values of each row; docs/explanation/training.md has
    measurements. With external memory they are in files under the directory for temporary files, in pages of one batch,
    of which XGBoost loads a few at a time; on a GPU, they are in the memory of the host.

    Args:
        spec: the model.
        device: `cpu` or `cuda`.
        days: the rows.
    """

    def __init__(self, spec: ModelSpec, device: str, days: LabelledDays):
        self._spec, self.device, self._days = spec, device, days
        # Besides the trees, sums on a GPU depend on other state, and sampling on the state of the random numbers.
        self.restarts = spec.training.has_sampling or device != "cpu"

    @contextmanager
    def data(self, preprocessing: dict, train_on: list[date], watch: list[date] | None) -> Iterator[Train]:
        """Yield the function that trains on some days and validates on others; always remove the files afterwards."""
        import xgboost as xgb

        external = self._spec.training.engine == "external_memory"
        threads = self._threads(preprocessing, train_on)
        with temporary_directory("ml_assets_rows_") if external else nullcontext() as folder:
            matrices = [self._quantized(preprocessing, train_on, folder and f"{folder}/train", threads)]
            measures = {}
            if watch and self._days.is_one_batch(watch):
                matrices.append(self._unquantized(preprocessing, watch, threads))
                if self.device == "cpu" and self._spec.task == BINARY and self._spec.sample_weight is None:
                    measures = {"aucpr": _pr_curve_area(matrices[1])}
            elif watch:
                cache = folder and f"{folder}/validation"
                matrices.append(self._quantized(preprocessing, watch, cache, threads, matrices[0]))

            def train(segment: Segment, on_round: OnRound) -> tuple[bytes, Mapping[str, list[float]]]:
                curve: dict = {}
                parameters = {**segment.parameters, "device": self.device, "nthread": threads}
                if measures:
                    parameters["eval_metric"] = [stopping_metric(segment.parameters)]
                before = bytearray(segment.begun.model) if segment.begun.model else None
                booster = xgb.train(
                    parameters,
                    matrices[0],
                    segment.rounds,
                    evals=[(matrix, "validation") for matrix in matrices[1:]],
                    evals_result=curve,
                    callbacks=[training_callback(segment, on_round, measures)],
                    verbose_eval=False,
                    xgb_model=before,
                )
                return to_bytes(booster), curve.get("validation", {})

            try:
                yield train
            finally:
                # XGBoost removes its files when the matrices are freed.
                matrices.clear()
                measures.clear()

    def _threads(self, preprocessing: dict, train_on: list[date]) -> int:
        """Return the number of threads that have enough work, at most `compute.cpu`."""
        values = sum(self._days.rows[day] for day in train_on) * len(column_types(preprocessing))
        return thread_count(self._spec.compute.cpu, values)

    def _unquantized(self, preprocessing: dict, days: list[date], threads: int) -> "DMatrix":
        """Build a matrix that is not quantized, which XGBoost scores faster, for a validation part of one batch.

        The scores are the same, because trees split at the borders of bins.
        """
        import xgboost as xgb

        [rows] = self._days.batches(days, preprocessing)
        types = column_types(preprocessing)
        return xgb.DMatrix(
            rows.matrix,
            label=rows.labels,
            weight=rows.weights,
            feature_types=types,
            enable_categorical=True,
            nthread=threads,
        )

    def _quantized(self, preprocessing: dict, days: list[date], cache: str | None, threads: int, reference=None):
        """Build XGBoost's quantized matrix batch by batch; the matrix of the validation part gets the bins of
        `reference`."""
        import xgboost as xgb

        batches: Batches = partial(self._days.batches, days, preprocessing)
        if self._days.is_one_batch(days):
            # XGBoost requests each batch four times.
            batches = list(batches()).__iter__
        types = column_types(preprocessing)

        class BatchIterator(xgb.DataIter):
            def __init__(self):
                super().__init__(cache_prefix=cache)
                self._remaining = batches()

            def reset(self) -> None:
                self._remaining = batches()

            def next(self, input_data: Callable) -> bool:
                if (batch := next(self._remaining, None)) is None:
                    return False
                weight = {} if batch.weights is None else {"weight": batch.weights}
                input_data(data=batch.matrix, label=batch.labels, feature_types=types, **weight)
                return True

        # XGBoost refuses a maximum that differs from the booster's, and the default is 256.
        shape = {
            "max_bin": self._spec.training.parameters.max_bin,
            "nthread": threads,
            "ref": reference,
            "enable_categorical": True,
        }
        kind = xgb.ExtMemQuantileDMatrix if cache else xgb.QuantileDMatrix
        return kind(BatchIterator(), **shape)


def thread_count(cpu: int, values: int) -> int:
    """Return the number of threads, at most `cpu`, that have enough work for a number of training values."""
    return min(cpu, 1 + values // VALUES_PER_THREAD)


def _pr_curve_area(matrix: "DMatrix") -> Callable:
    """Return a function that measures the area under the precision-recall curve of a booster on a matrix."""
    measure_area = PrCurveArea(matrix.get_label())
    # XGBoost keeps the margins of the rows, so each round adds one tree.
    return lambda booster: measure_area(booster.predict(matrix, training=False, validate_features=False))
