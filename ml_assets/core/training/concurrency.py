"""Models that are trained in parallel: their number, and the memory that they take."""

from collections.abc import Mapping, Sequence
from datetime import date

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.engines.local import thread_count
from ml_assets.core.training.time_split import HistoryTooShort, split_days

# Each value of a window is held in a frame, a float32 matrix, XGBoost's matrix, and bins by row and by column.
BYTES_PER_VALUE = 40


def models_at_once(spec: ModelSpec, days: Sequence[date], row_counts: Mapping[date, int]) -> int:
    """Return how many models can be trained at the same time, with `compute.cpu` threads of XGBoost in total.

    It is one for models on a GPU, for engines other than `memory`, and for one-hot encoding, whose number of columns is
    known only after the rows are read.

    Args:
        spec: the model.
        days: the days of the models.
        row_counts: rows of features by day.
    """
    is_plain = spec.training.engine == "memory" and not spec.compute.gpu
    if not is_plain or "onehot" in spec.training.preprocessing.encode.values():
        return 1
    return max(1, spec.compute.cpu // thread_count(spec.compute.cpu, _most_values(spec, days, row_counts)))


def memory_at_once(spec: ModelSpec, days: Sequence[date], row_counts: Mapping[date, int]) -> int:
    """Return the maximum number of bytes that models trained in parallel and the rows of the next models take."""
    models = models_in_memory(models_at_once(spec, days, row_counts))
    return models * _most_values(spec, days, row_counts) * BYTES_PER_VALUE


def models_in_memory(at_once: int) -> int:
    """Return the number of models whose rows are in memory: one waits for each in training, so that no thread is
    idle."""
    return 2 * at_once


def _most_values(spec: ModelSpec, days: Sequence[date], row_counts: Mapping[date, int]) -> int:
    """Return the number of values of the largest training window."""
    rows = (sum(row_counts.get(row_day, 0) for row_day in _window(spec, day)) for day in days)
    return max(rows) * len(spec.feature_names())


def _window(spec: ModelSpec, day: date) -> Sequence[date]:
    try:
        return split_days(spec, day).window
    except HistoryTooShort:
        return ()
