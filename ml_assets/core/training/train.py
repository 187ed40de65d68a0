"""Deterministic training of a booster, its preprocessing and its decision threshold from the days of a window."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np

from ml_assets.core.metrics.classification import point_metrics
from ml_assets.core.metrics.resampled import point_values
from ml_assets.core.metrics.scored_rows import task_metrics
from ml_assets.core.model.digest import model_digest
from ml_assets.core.model.preprocessing import PreprocessingFit
from ml_assets.core.model.preprocessing import to_bytes as preprocessing_bytes
from ml_assets.core.model.scorer import Scorer, column_types
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.rules.training_rules import SEARCHED_METRICS
from ml_assets.core.model_spec.types.task import BINARY, REGRESSION
from ml_assets.core.training.batches import Batch, LabelledDays, ReadDay
from ml_assets.core.training.boosting import (
    Boosted,
    Checkpoints,
    NoCheckpoints,
    Phase,
    best_position,
    boost,
    to_bytes,
)
from ml_assets.core.training.engines.engine import Engine, open_engine
from ml_assets.core.training.engines.local import thread_count
from ml_assets.core.training.objectives import booster_parameters, scale_of_errors, watched_metrics
from ml_assets.core.training.progress import Progress, Tell
from ml_assets.core.training.row_counts import check_counts, count_rows, describe_part
from ml_assets.core.training.threshold import choose_threshold
from ml_assets.core.training.time_split import Split

Log = Callable[[str], None]

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedModel:
    """The two files of a model, and the metrics of its training.

    `metrics` and `learning_curve` are those of the early-stopped model on the validation part, before any refit. `rows`
    and `positives` are those of the final model's training rows. `threshold` and positives are None unless the target
    is binary.
    """

    model: bytes
    preprocessing: bytes
    rounds: int
    threshold: float | None
    threshold_note: str
    metrics: dict[str, float]
    learning_curve: dict[str, list[float]]
    rows: int
    positives: int | None
    validation_rows: int
    device: str

    @property
    def digest(self) -> str:
        """See `model_digest`."""
        return model_digest(self.model, self.preprocessing)


def train(
    spec: ModelSpec,
    split: Split,
    read_day: ReadDay,
    log: Log = _LOGGER.info,
    tell: Tell | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrainedModel:
    """Train the model of one day.

    Boosting on `split.fit` stops when the first of `watched_metrics` on `split.validation` no longer improves; the
    threshold of a binary target is chosen on the scores of that model there. With `training.refit` the model is then
    trained again, preprocessing included, on fit and validation together with the best number of rounds. The holdout is
    never read. Rows without a label are excluded. The same frames in the same order, the same specification and device
    give the same bytes, also when training resumes from a checkpoint. With the engine dask, which sums in no fixed
    order, results may differ by rounding.

    Args:
        spec: the model.
        split: the days to use.
        read_day: returns target, weight and features of a day, with categories as text; other columns are ignored, and
            there may be no rows. If the window has more than `training.batch_rows` rows, it is called several times for
            a day, so that memory holds only a few batches of that size (or of the largest day), the rows that the
            engine keeps (see `LocalEngine`), and the predictions of the validation part. The engine dask sends it to
            the workers of the cluster.
        log: receives lines about the training.
        tell: receives the progress of boosting every few seconds; without it, `log` receives a line.
        checkpoints: the store of checkpoints, including those of an interrupted run with the same specification and
            frames.

    Raises:
        TrainingDataError: when the window has no labelled rows, or its fit or validation part lacks rows, weights or
            classes, see `check_counts`.
        ValueError: names the day, when one lacks a column or has values of another type.
        ClusterUnavailable: when the engine is dask and no cluster is available; the message says what to do.
    """
    days = LabelledDays(spec, read_day)
    fitting = PreprocessingFit(spec)
    fit_counts = count_rows(spec, days, split.fit, fitting)
    fitted = fitting.fitted()
    validation_counts = count_rows(spec, days, split.validation, fitting)
    check_counts(spec, split, fit_counts, validation_counts)
    parts = [("fit", split.fit, fit_counts), ("validation", split.validation, validation_counts)]
    log(f"{spec.name}: {'; '.join(f'{describe_part(name, part)} has {counts}' for name, part, counts in parts)}")
    metric = watched_metrics(spec)[0]

    defaults = scale_of_errors(spec, lambda: (days.labels(days.frame(day)) for day in split.fit))
    counts = fit_counts
    with open_engine(spec, days, log) as engine:

        def run_phase(name: str, rounds: int, watch: list[date] | None) -> Boosted:
            parameters = booster_parameters(spec, fitted, defaults)
            phase = _phase(spec, engine, parameters, name, rounds, counts.rows, watch is not None)
            train_on = split.fit if watch else split.window
            return boost(
                phase,
                partial(engine.data, fitted, train_on, watch),
                checkpoints or NoCheckpoints(),
                tell or _log_progress(log),
                log,
            )

        stopped = run_phase("early_stopping", spec.training.rounds, split.validation)
        curve = dict(stopped.curve or {})
        rounds = best_position(curve[metric]) + 1
        log(f"{spec.name}: best {metric} on the validation part {curve[metric][rounds - 1]:.4f} after {rounds} rounds")
        model = _first_rounds(stopped, rounds)
        scorer = Scorer(model, fitted)
        scorer.use_threads(thread_count(spec.compute.cpu, counts.rows * len(column_types(fitted))))
        batch, predictions = _predict(scorer, fitted, days, split.validation)
        threshold, note = None, ""
        if spec.task == BINARY:
            threshold, note = choose_threshold(spec.training.threshold, batch.labels, predictions[:, 0], batch.weights)
        metrics = _measure(spec, batch, predictions, threshold)
        if spec.training.refit:
            refitted = fitting.fitted()
            # The cached matrices have the same preprocessing.
            fitted = fitted if refitted == fitted else refitted
            counts = fit_counts + validation_counts
            model = run_phase("refit", rounds, None).model or b""
            log(f"{spec.name}: trained again on all {counts} of the window with {rounds} rounds")
        device = engine.device
    decision = {} if threshold is None else {"threshold": threshold}
    return TrainedModel(
        model=model,
        preprocessing=preprocessing_bytes({**fitted, **decision}),
        rounds=rounds,
        threshold=threshold,
        threshold_note=note,
        metrics=metrics,
        learning_curve=curve,
        rows=counts.rows,
        positives=counts.positives,
        validation_rows=validation_counts.rows,
        device=device,
    )


def _measure(spec: ModelSpec, batch: Batch, predictions: np.ndarray, threshold: float | None) -> dict[str, float]:
    """Return the metrics of the model on the rows of the validation part that have a weight."""
    if batch.weights is not None:
        has_weight = batch.weights > 0
        predictions = predictions[has_weight]
        batch = Batch(batch.matrix[has_weight], batch.labels[has_weight], batch.weights[has_weight])
    if threshold is not None:
        metrics = point_metrics(batch.labels, predictions[:, 0], threshold, batch.weights)
        return {name: metrics[name] for name in SEARCHED_METRICS}
    if spec.training.quantiles:
        predictions = np.column_stack([predictions[:, spec.outputs.central], predictions])
    targets = batch.labels.astype(np.float64 if spec.task == REGRESSION else np.int64)
    return point_values(task_metrics(spec).measure(None)(targets, predictions, batch.weights))


def _phase(
    spec: ModelSpec, engine: Engine, parameters: dict, name: str, rounds: int, rows: int, watches: bool
) -> Phase:
    training = spec.training
    patience = training.early_stopping_rounds if watches else None
    return Phase(name, engine.device, parameters, rounds, patience, rows, training.checkpoint_rounds, engine.restarts)


def _log_progress(log: Log) -> Tell:
    def tell(progress: Progress) -> None:
        log(progress.line())

    return tell


def _first_rounds(boosted: Boosted, rounds: int) -> bytes:
    import xgboost as xgb

    return to_bytes(xgb.Booster(model_file=bytearray(boosted.model or b""))[:rounds])


def _predict(scorer: Scorer, preprocessing: dict, days: LabelledDays, part: list[date]) -> tuple[Batch, np.ndarray]:
    """Return the rows of a part of the window, without their matrices, and their predictions."""
    batches, predictions = [], []
    for day in part:
        batch = days.matrix(day, preprocessing)
        predictions.append(scorer.predict_matrix(batch.matrix))
        batches.append(batch._replace(matrix=batch.matrix[:, :0]))
    return Batch.join(batches), np.concatenate(predictions)
