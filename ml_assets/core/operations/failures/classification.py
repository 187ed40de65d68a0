"""Classification of a failure from its exception chain, and the error message for the user.

Only transient failures are worth a retry. Nothing here imports a client library: exceptions are recognized by the names
of their classes, by their attributes and, for delta-rs, which has no classes, by their text.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from ml_assets.core.operations.failures.damaged_state import DamagedState
from ml_assets.core.operations.failures.error_signatures import (
    SIGNATURES,
    without_colors,
)

if TYPE_CHECKING:
    from ml_assets.core.operations.failures.error_signatures import ErrorSignature

MAX_LINKS = 20
MAX_CHARACTERS = 500
OWN_PACKAGE = "ml_assets."
# Exceptions of this layer are about stores and their state, not about the content of files.
RESOURCES = f"{OWN_PACKAGE}resources."


class Failure(StrEnum):
    """The kind of a failure."""

    TRANSIENT = "transient"
    """A transient external failure: a retry may succeed."""
    REFUSED = "refused"
    """An external system that denies access, does not exist or is full: somebody has to act."""
    MEMORY = "memory"
    """Out of memory: a retry with the same memory fails in the same way."""
    STATED = "stated"
    """A failure of data, specification or state whose own message says what to do."""
    CODE = "code"
    """Anything else: an error in our code, in a hook or in a library."""


def classify(error: BaseException) -> Failure:
    """Classify a failure from its exception chain.

    The outermost exception with an error signature decides; an exception of MLflow's client decides only when its cause
    has no signature.
    """
    fallback = Failure.CODE
    for link in chain(error):
        if isinstance(link, DamagedState):
            return Failure.STATED
        if (signature := _signature_of(link)) is not None:
            if not _hides_its_cause(link):
                return Failure(signature)
            fallback = Failure(signature)
        elif type(link).__module__.startswith("sqlalchemy."):
            # A missing table is not transient, even if MLflow reports it as such.
            fallback = Failure.CODE
        elif type(link).__module__.startswith(OWN_PACKAGE) and fallback is Failure.CODE:
            fallback = Failure.STATED
    return fallback


def is_of_data(error: BaseException) -> bool:
    """Return whether a failure is caused by landed files or the specification, which somebody can correct, rather than
    by state, an external system or the code.
    """
    is_of_state = any(
        isinstance(link, DamagedState) or type(link).__module__.startswith(RESOURCES) for link in chain(error)
    )
    return classify(error) is Failure.STATED and not is_of_state


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its cause, the cause of that, and so on.

    The implicit context of an exception counts as its cause only for exceptions of libraries, which often raise their
    own without naming the cause. If one of our handlers fails, the exception that it handled is not the reason.
    """
    link: BaseException | None = error
    for _ in range(MAX_LINKS):
        if link is None:
            return
        yield link
        reason = getattr(link, "reason", None)
        handled = None if link.__suppress_context__ or not _is_from_client(link) else link.__context__
        link = link.__cause__ or (reason if isinstance(reason, BaseException) else None) or handled


def _signature_of(link: BaseException) -> "ErrorSignature | None":
    return next((signature for match in SIGNATURES if (signature := match(link)) is not None), None)


def _hides_its_cause(link: BaseException) -> bool:
    """Return whether an exception is less specific than its cause: MLflow reports every database error as transient."""
    return type(link).__module__.startswith("mlflow.") and (link.__cause__ or link.__context__) is not None


def _is_from_client(link: BaseException) -> bool:
    return type(link).__module__.split(".")[0] in ("mlflow", "requests", "urllib3", "botocore", "sqlalchemy")


def cause_of(error: BaseException) -> str:
    """Return the failure in one line: class and text of the outermost exception, without the colors of delta-rs, and
    truncated to `MAX_CHARACTERS`.
    """
    text = " ".join(without_colors(str(error)).split())
    text = text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}..."
    return f"{type(error).__name__}: {text}".rstrip(": ")


def explain(failure: Failure, error: BaseException, step: str, memory_field: str, attempts: int) -> str:
    """Write the error message of a step that is not retried: what happened, and what to do.

    Args:
        failure: the kind of the failure, from `classify`.
        error: the exception.
        step: name of the asset or job.
        memory_field: the field of the specification that sets the memory of the step.
        attempts: number of attempts.
    """
    if failure is Failure.STATED:
        return str(error)
    if failure is Failure.REFUSED and getattr(error, "states_remedy", False):
        return f"{step}: {str(error).rstrip('.')}. A retry does not help; re-execute the run from failure afterwards"
    cause = re.sub(r"(?<!\.)\.$", "", cause_of(error))
    tried = "once" if attempts == 1 else f"{attempts} times"
    explanations = {
        Failure.TRANSIENT: f"an external service failed (tried {tried}), most recently with {cause}. "
        "Committed days are kept. Check that the service works again, then re-execute the run from failure; `retries` "
        "in the specification sets the number of attempts",
        Failure.REFUSED: f"a file or an external service cannot be used: {cause}. A retry does not help. "
        "Check address, credentials, permissions and free space, then re-execute the run from failure",
        Failure.MEMORY: f"out of memory: {cause}. A retry with the same memory would fail again. Raise "
        f"{memory_field} in the specification where steps are pods, or free memory on this machine, then re-execute "
        "the run from failure",
        Failure.CODE: f"an error in the code, in a hook or in a library: {cause}. A retry would fail again. "
        "Fix the code at the place that the stack trace below names, then re-execute the run from failure",
    }
    return f"{step}: {explanations[failure]}"
