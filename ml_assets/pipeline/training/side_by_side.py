"""Concurrent training of small models, each in a thread, while the next rows are read and results are stored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import Split
from ml_assets.pipeline.training.checkpoints import LakeCheckpoints
from ml_assets.pipeline.training.task_threads import TaskThreads

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.training.boosting import Boosted
    from ml_assets.core.training.progress import Tell
    from ml_assets.core.training.train import TrainedModel


@dataclass(frozen=True)
class TrainingInput:
    """The training input of a day's model: the specification with its parameters, and the rows of each day."""

    spec: ModelSpec
    split: Split
    rows: "Mapping[date, pd.DataFrame]"


@dataclass(frozen=True)
class _Training:
    result: "Future[TrainedModel]"
    reports: ExitStack
    split: Split | None


class SideBySide:
    """Trainings of the models of some days, which start in order before their results are requested.

    The threads only compute: the thread that waits for results reads rows, logs lines, saves checkpoints and reports
    progress in the meantime.

    Args:
        days: the days.
        at_once: number of models that are trained at the same time.
        prepare: reads the training input of a day.
        checkpoints: opens the checkpoints of a day.
        follow: opens a callback for the progress of the model of a day, or None to leave it to the log.
        log: logs a line about the model of a day.
    """

    def __init__(
        self,
        days: Sequence[date],
        at_once: int,
        prepare: Callable[[date], TrainingInput],
        checkpoints: Callable[[date], LakeCheckpoints],
        follow: Callable[[date], "AbstractContextManager[Tell | None]"],
        log: Callable[[date, str], None],
    ):
        from ml_assets.core.training.concurrency import models_in_memory

        self._remaining: Iterator[date] = iter(days)
        self._most_started = models_in_memory(at_once)
        self._prepare = prepare
        self._checkpoints = checkpoints
        self._follow = follow
        self._log = log
        self._threads = TaskThreads(at_once)
        self._started: dict[date, _Training] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        """Stop unfinished trainings, and close their reports with the error."""
        self._threads.__exit__(*exception)
        for training in self._started.values():
            training.reports.__exit__(*exception)

    def result(self, day: date) -> "tuple[Split, TrainedModel]":
        """Return split and model of the next day, or raise why there is none.

        Raises:
            Exception: whatever reading its rows, its training or its reports raised.
        """
        while len(self._started) < self._most_started and (following_day := next(self._remaining, None)):
            self._started[following_day] = self._start(following_day)
        training = self._started.pop(day)
        with training.reports:
            model = self._threads.wait_for(training.result)
        assert training.split is not None
        return training.split, model

    def _start(self, day: date) -> _Training:
        from ml_assets.core.training.train import train

        try:
            given = self._prepare(day)
        except Exception as error:
            # Earlier days come first.
            return _Training(_failed(error), ExitStack(), None)
        reports = ExitStack()
        report_progress = reports.enter_context(self._follow(day))
        result = self._threads.start(
            train,
            given.spec,
            given.split,
            given.rows.__getitem__,
            partial(self._threads.post, self._log, day),
            report_progress and partial(self._threads.post, report_progress),
            _CheckpointsOfWaitingThread(self._threads, self._checkpoints(day)),
        )
        return _Training(result, reports, given.split)


class _CheckpointsOfWaitingThread:
    def __init__(self, threads: TaskThreads, checkpoints: LakeCheckpoints):
        self._threads = threads
        self._checkpoints = checkpoints
        self._may_resume = checkpoints.exist()

    def load(self, slot: str) -> "Boosted | None":
        return self._threads.call(self._checkpoints.load, slot) if self._may_resume else None

    def save(self, slot: str, boosted: "Boosted") -> None:
        self._threads.call(self._checkpoints.save, slot, boosted)


def _failed(error: Exception) -> Future:
    result: Future = Future()
    result.set_exception(error)
    return result
