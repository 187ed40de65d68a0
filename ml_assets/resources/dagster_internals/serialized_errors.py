"""The error that Dagster stores with a failed step, run, tick or code location, a hook that rewrites its texts, and an
error that is shown without a stack trace.

Reason: functions that read the error of a failed step or run are annotated with its type. Dagster stores the text of
every exception, including those that no code of this project can catch: in resources that do not start, sensors,
schedules and code locations. A stack trace below the problems of a file is of no use to its author, and Dagster shows
one below every other error of a code location. DAGSTER_REDACT_USER_CODE_ERRORS would hide the whole text, and with it
the reason.
Public API that would replace it: an export of `SerializableErrorInfo` from `dagster`, and a function in its instance
that is called with the text of an error before it is stored, and an error of definitions whose message alone is shown.
"""

from collections.abc import Callable
from traceback import TracebackException
from typing import Any

from dagster._core.errors import (
    DagsterAssetCheckFailedError,
    DagsterExecutionInterruptedError,
    DagsterUserCodeProcessError,
)
from dagster.components.core.component_tree import ComponentTreeException
from dagster_shared.error import SerializableErrorInfo

__all__ = [
    "ComponentMessageError",
    "MessageOnlyError",
    "SerializableErrorInfo",
    "is_check_failure",
    "is_interruption",
    "rewrite_stored_errors",
]

_from_traceback: Any = SerializableErrorInfo.from_traceback.__func__  # type: ignore[attr-defined]


class MessageOnlyError(DagsterUserCodeProcessError):
    """An error of which Dagster shows and stores only a text.

    Args:
        message: the message of the error.
        shown: the text that Dagster shows; the message by default.
    """

    def __init__(self, message: str, shown: str | None = None):
        info = SerializableErrorInfo(f"{shown or message}\n", [], type(self).__name__)
        super().__init__(message, user_code_process_error_infos=[info])


class ComponentMessageError(MessageOnlyError, ComponentTreeException):
    """An error of a component of which Dagster shows only the message: no stack trace, and no tree of the other
    components, which Dagster adds to errors of any other class.
    """


def is_check_failure(error: SerializableErrorInfo | None) -> bool:
    """Return whether the error of a failed step says only that a blocking check failed."""
    return error is not None and error.cls_name == DagsterAssetCheckFailedError.__name__


def is_interruption(error: SerializableErrorInfo | None) -> bool:
    """Return whether the error of a failed step says only that its process was told to end."""
    return error is not None and error.cls_name == DagsterExecutionInterruptedError.__name__


def rewrite_stored_errors(rewrite: Callable[[str], str]) -> None:
    """Apply a function to the message and the stack of every error that Dagster stores or sends from this process.

    Args:
        rewrite: takes and returns a text; it replaces the function of an earlier call.
    """

    def from_traceback(cls: type[SerializableErrorInfo], tb: TracebackException) -> SerializableErrorInfo:
        # Causes and contexts of errors are converted here, too.
        error = _from_traceback(cls, tb)
        return error._replace(message=rewrite(error.message), stack=[rewrite(line) for line in error.stack])

    SerializableErrorInfo.from_traceback = classmethod(from_traceback)  # type: ignore[assignment]
