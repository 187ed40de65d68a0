"""Deterministic training of a booster, its preprocessing and its decision threshold from the days of a window."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np

from ml_assets.core.metrics.classification import point_metrics
from ml_assets.core.model.digest import model_digest
from ml_assets.core.model.preprocessing import PreprocessingFit
from ml_assets.core.model.preprocessing import to_bytes as preprocessing_bytes
from ml_assets.core.model.scorer import Scorer, column_types
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.batches import LabelledDays, ReadDay, call_for_day
from ml_assets.core.training.boosting import (
    STOPPING_METRIC,
    WATCHED,
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
from ml_assets.core.training.progress import Progress, Tell
from ml_assets.core.training.threshold import choose_threshold
from ml_assets.core.training.time_split import Split

Log = Callable[[str], None]

_LOGGER = logging.getLogger(__name__)
VALIDATION_METRICS = ("average_precision", "roc_auc", "log_loss", "precision", "recall", "f1")


class TrainingDataError(ValueError):
    """A training window without rows, or without one of the two classes where both are needed."""


@dataclass(frozen=True)
class TrainedModel:
    """The two files of a model, and the metrics of its training.

    `metrics` and `learning_curve` are those of the early-stopped model on the validation part, before any refit. `rows`
    and `positives` are those of the final model's training rows.
    """

    model: bytes
    preprocessing: bytes
    rounds: int
    threshold: float
    threshold_note: str
    metrics: dict[str, float]
    learning_curve: dict[str, list[float]]
    rows: int
    positives: int
    validation_rows: int
    validation_positives: int
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

    Boosting on `split.fit` stops when STOPPING_METRIC on `split.validation` no longer improves; the threshold is chosen
    on the scores of that model there. With `training.refit` the model is then trained again, preprocessing included, on
    fit and validation together with the best number of rounds. The holdout is never read. Rows without a label are
    excluded. The same frames in the same order, the same specification and device give the same bytes, also when
    training resumes from a checkpoint. With the engine dask, which sums in no fixed order, results may differ by
    rounding.

    Args:
        spec: the model.
        split: the days to use.
        read_day: returns target and features of a day, with categories as text; other columns are ignored, and there
        may
            be no rows. It is called several times for a day when the window has more than `training.batch_rows` rows,
            so that memory holds a few batches of that size (or of the largest day), the rows that the engine keeps (see
            `LocalEngine`), and the scores of the validation part. The engine dask sends it to the workers of the
            cluster.
        log: receives lines about the training.
        tell: receives the progress of boosting every few seconds; without it, `log` receives a line.
        checkpoints: the store of checkpoints, including those of an interrupted run with the same specification and
            frames.

    Raises:
        TrainingDataError: when the window has no labelled rows, or its fit or validation part has not both classes.
        ValueError: names the day, when one lacks a column or has values of another type.
        ClusterUnavailable: when the engine is dask and no cluster is available; the message says what to do.
    """
    days = LabelledDays(spec, read_day)
    fitting = PreprocessingFit(spec)
    fit_counts = _count_rows(days, split.fit, fitting)
    fitted = fitting.fitted()
    validation_counts = _count_rows(days, split.validation, fitting)
    _check_counts(spec, split, fit_counts, validation_counts)
    parts = [("fit", split.fit, fit_counts), ("validation", split.validation, validation_counts)]
    log(f"{spec.name}: {'; '.join(f'{_part(name, part)} has {_counted(counts)}' for name, part, counts in parts)}")

    rows, positives = fit_counts
    with open_engine(spec, days, log) as engine:

        def run_phase(name: str, rounds: int, watch: list[date] | None) -> Boosted:
            phase = _phase(spec, engine, name, rounds, rows, watch is not None)
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
        rounds = best_position(curve[STOPPING_METRIC]) + 1
        log(
            f"{spec.name}: best {STOPPING_METRIC} on the validation part {curve[STOPPING_METRIC][rounds - 1]:.4f} "
            f"after {rounds} rounds"
        )
        model = _first_rounds(stopped, rounds)
        scorer = Scorer(model, fitted)
        scorer.use_threads(thread_count(spec.compute.cpu, rows * len(column_types(fitted))))
        labels, scores = _score(scorer, fitted, days, split.validation)
        threshold, note = choose_threshold(spec.training.threshold, labels, scores)
        metrics = point_metrics(labels, scores, threshold)
        if spec.training.refit:
            refitted = fitting.fitted()
            # The matrices of the days are those of the same preprocessing.
            fitted = fitted if refitted == fitted else refitted
            rows, positives = rows + validation_counts[0], positives + validation_counts[1]
            model = run_phase("refit", rounds, None).model or b""
            log(f"{spec.name}: trained again on all {_counted((rows, positives))} of the window with {rounds} rounds")
        device = engine.device
    return TrainedModel(
        model=model,
        preprocessing=preprocessing_bytes({**fitted, "threshold": threshold}),
        rounds=rounds,
        threshold=threshold,
        threshold_note=note,
        metrics={name: metrics[name] for name in VALIDATION_METRICS},
        learning_curve=curve,
        rows=rows,
        positives=positives,
        validation_rows=validation_counts[0],
        validation_positives=validation_counts[1],
        device=device,
    )


def _count_rows(days: LabelledDays, part: list[date], fitting: PreprocessingFit) -> tuple[int, int]:
    """Count (rows, positives) of a part of the window, and fit the preprocessing to it."""
    rows = positives = 0
    for day in part:
        frame = days.frame(day)
        call_for_day(day, partial(fitting.add, frame))
        rows, positives = rows + len(frame), positives + int(days.labels(frame).sum(dtype=np.float64))
    return rows, positives


def _part(name: str, days: list[date]) -> str:
    return f"the {name} part of the training window ({days[0]} to {days[-1]}, {len(days)} days)"


def _counted(counts: tuple[int, int]) -> str:
    return f"{counts[0]} labelled rows, {counts[1]} of them positive"


def _check_counts(spec: ModelSpec, split: Split, fit: tuple[int, int], validation: tuple[int, int]) -> None:
    window = split.window
    if fit[0] + validation[0] == 0:
        raise TrainingDataError(
            f"{spec.name}: the training window ({window[0]} to {window[-1]}, {len(window)} days) has no labelled rows; "
            f"check that these days have landed, were not rejected by quality, and have a value of the target "
            f"{spec.target}"
        )
    for name, field, days, (rows, positives) in [
        ("fit", "window", split.fit, fit),
        ("validation", "validation", split.validation, validation),
    ]:
        if not 0 < positives < rows:
            raise TrainingDataError(
                f"{spec.name}: {_part(name, days)} has {_counted((rows, positives))}, but both classes are needed; "
                f"check whether these days were rejected by quality and the values of the target {spec.target}, or "
                f"lengthen training.{field}"
            )


def _phase(spec: ModelSpec, engine: Engine, name: str, rounds: int, rows: int, watches: bool) -> Phase:
    training = spec.training
    fixed = {"objective": "binary:logistic", "tree_method": "hist", "eval_metric": list(WATCHED)}
    parameters = {**training.parameters.model_dump(), **fixed, "seed": training.seed}
    patience = training.early_stopping_rounds if watches else None
    return Phase(name, engine.device, parameters, rounds, patience, rows, training.checkpoint_rounds, engine.restarts)


def _log_progress(log: Log) -> Tell:
    def tell(progress: Progress) -> None:
        log(progress.line())

    return tell


def _first_rounds(boosted: Boosted, rounds: int) -> bytes:
    import xgboost as xgb

    return to_bytes(xgb.Booster(model_file=bytearray(boosted.model or b""))[:rounds])


def _score(scorer: Scorer, preprocessing: dict, days: LabelledDays, part: list[date]) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and scores of the rows of a part of the window."""
    pairs = [(labels, scorer.score_matrix(matrix)) for matrix, labels in (days.matrix(d, preprocessing) for d in part)]
    return np.concatenate([labels for labels, _ in pairs]), np.concatenate([scores for _, scores in pairs])
