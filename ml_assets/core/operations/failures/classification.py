"""What a failure is a fault of, by its chain of exceptions: the world, a refusal, memory, data or code; and what the
user is told.

Only the first kind may pass by itself. Client libraries are not imported here: exceptions are known by the names of
their classes, their attributes and, for delta-rs, which has no classes, by their text.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from ml_assets.core.operations.failures.error_signatures import (
    by_class,
    by_database,
    by_object_store,
    by_operating_system,
    by_status,
)

if TYPE_CHECKING:
    from ml_assets.core.operations.failures.error_signatures import ErrorSignature

MOST_LINKS = 20
MOST_CHARACTERS = 500
OWN = "ml_assets."
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Failure(StrEnum):
    """What failed."""

    TRANSIENT = "transient"
    """The world: it may work later."""
    REFUSED = "refused"
    """A place that does not let us in, does not exist or is full: somebody has to act."""
    MEMORY = "memory"
    """Not enough memory; the same again with as much fails the same way."""
    STATED = "stated"
    """Something about data, specification or state that the message says in full, with what to do."""
    CODE = "code"
    """Anything else: a defect here, in a hook or in a library."""


def classify(error: BaseException) -> Failure:
    """What a failure is a fault of. The outermost exception of the chain that says so decides; one of MLflow's client
    only where its cause does not.
    """
    fallback = Failure.CODE
    for link in chain(error):
        if (sign := _signature_of(link)) is not None:
            if not _wraps_its_cause(link):
                return Failure(sign)
            fallback = Failure(sign)
        elif type(link).__module__.startswith("sqlalchemy."):
            # A table that is not there is no fault of the world, whatever MLflow says of it.
            fallback = Failure.CODE
        elif type(link).__module__.startswith(OWN) and fallback is Failure.CODE:
            fallback = Failure.STATED
    return fallback


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, its cause, the cause of that, and so on.

    What was handled when another exception was raised counts only for libraries, which raise their own exceptions
    without naming the cause: where a handler of ours has a defect, what it handled is not why it failed.
    """
    link: BaseException | None = error
    for _ in range(MOST_LINKS):
        if link is None:
            return
        yield link
        reason = getattr(link, "reason", None)
        handled = None if link.__suppress_context__ or not _is_of_a_client(link) else link.__context__
        link = link.__cause__ or (reason if isinstance(reason, BaseException) else None) or handled


def _signature_of(link: BaseException) -> "ErrorSignature | None":
    for look in (by_class, by_status, by_database, by_object_store, by_operating_system):
        if (sign := look(link)) is not None:
            return sign
    return None


def _wraps_its_cause(link: BaseException) -> bool:
    """Whether an exception says less than what it was raised for: MLflow takes every error of a database for one that
    passes.
    """
    return type(link).__module__.startswith("mlflow.") and (link.__cause__ or link.__context__) is not None


def _is_of_a_client(link: BaseException) -> bool:
    return type(link).__module__.split(".")[0] in ("mlflow", "requests", "urllib3", "botocore", "sqlalchemy")


def cause_of(error: BaseException) -> str:
    """The failure in one line: class and text of the outermost exception, without the colours that delta-rs gives it,
    cut where it is long.
    """
    text = " ".join(COLOUR.sub("", str(error)).split())
    return f"{type(error).__name__}: {text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + '...'}".rstrip(
        ": "
    )


def explain(fault: Failure, error: BaseException, step: str, memory_field: str, attempts: int) -> str:
    """What the user is told of a step that failed for good: what happened, and what to do.

    Args:
        fault: what `classify` found.
        error: the exception.
        step: name of the asset or job.
        memory_field: the field of the specification that gives the step more memory.
        attempts: how often it was tried.
    """
    if fault is Failure.STATED:
        return str(error)
    tried = "once" if attempts == 1 else f"{attempts} times"
    what = {
        Failure.TRANSIENT: f"a service outside did not work ({tried}), the last time with {cause_of(error)}. What was committed stays. "
        "Look whether the service is there again, then re-execute the run from failure; `retries` in the specification says how often it is tried",
        Failure.REFUSED: f"a place outside refused: {cause_of(error)}. Trying again does not change that. Check address, credentials, rights and free "
        "space of the place that is named, then re-execute the run from failure",
        Failure.MEMORY: f"out of memory: {cause_of(error)}. With as much memory it fails again, so it is not tried again. Raise {memory_field} in the "
        "specification where steps are pods, or free memory of this machine, then re-execute the run from failure",
        Failure.CODE: f"a fault of the code, of a hook or of a library: {cause_of(error)}. It would fail again, so it is not tried again. The stack "
        "below says where; mend it, then re-execute the run from failure",
    }
    return f"{step}: {what[fault]}"
