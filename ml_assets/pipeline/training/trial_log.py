"""The optional log of a search's trials outside the lake; the search continues without it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Self

from ml_assets.pipeline.training.search_stage import TrialLog

if TYPE_CHECKING:
    from ml_assets.core.training.trials import Trial


class OptionalTrialLog:
    """Logs trials until the first error of the log; then it warns once, and the search continues.

    Trials are kept in the lake. MLflow only shows them, so a deleted experiment must not keep a model from being made.

    Args:
        open_log: opens the log.
        warn: logs the warning.
        subject: model and day, for the warning.
    """

    def __init__(
        self, open_log: Callable[[], AbstractContextManager[TrialLog]], warn: Callable[[str], None], subject: str
    ):
        self._open_log = open_log
        self._warn = warn
        self._subject = subject
        self._contexts = ExitStack()
        self._log: TrialLog | None = None

    def __enter__(self) -> Self:
        try:
            self._log = self._contexts.enter_context(self._open_log())
        except Exception as error:
            self._stop_logging(error)
        return self

    def log_trial(self, trial: "Trial") -> None:
        """Log a trial, unless the log failed before."""
        if self._log is None:
            return
        try:
            self._log.log_trial(trial)
        except Exception as error:
            self._stop_logging(error)

    def __exit__(self, *exception: object) -> None:
        """Close the log; its error never replaces that of the search."""
        try:
            self._contexts.__exit__(*exception)  # type: ignore[arg-type]
        except BaseException as problem:
            if problem is not exception[1]:
                self._stop_logging(problem)

    def _stop_logging(self, error: BaseException) -> None:
        self._log = None
        self._warn(f"{self._subject}: trials cannot be logged to MLflow ({error}); the search continues")
