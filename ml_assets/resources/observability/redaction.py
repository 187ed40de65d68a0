"""Redaction at the boundaries of a process: log records of all libraries, exceptions that Dagster stores, and streams.

The process registers its secrets once; nothing else holds them.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

from ml_assets.core.operations.notifications.redaction import replace_spellings, spell_out
from ml_assets.resources.observability.changed_stream import ChangedStream

# Compiled once, because every log record is searched for them.
_spellings: tuple[re.Pattern[str], ...] = ()
MAX_LINKS = 40


def redact_process(secrets: Iterable[str]) -> None:
    """Register the secrets of this process, and remove them from every log record from now on."""
    global _spellings
    _spellings = tuple(spell_out(secrets))
    if _spellings and not isinstance(logging.getLogRecordFactory(), RecordFactory):
        logging.setLogRecordFactory(RecordFactory(logging.getLogRecordFactory()))


def has_secrets() -> bool:
    """Return whether this process has secrets to remove."""
    return bool(_spellings)


def redact_text(text: str) -> str:
    """Return a text without the secrets of this process."""
    return replace_spellings(text, _spellings)


def redact_error(error: BaseException) -> None:
    """Remove the secrets of this process from the texts of an exception, of its causes, and of exceptions in its
    arguments.

    Dagster stores the texts of the whole chain with the run.
    """
    if not _spellings:
        return
    for link in _chain(error):
        link.args = redact_values(link.args)
        for name, value in vars(link).items():
            if isinstance(value, str | list | tuple | dict):
                setattr(link, name, redact_values(value))


def redact_values(value: Any) -> Any:
    """Return texts, and lists, tuples and mappings that contain texts, without the secrets of this process."""
    if isinstance(value, str):
        return redact_text(value)
    if type(value) in (list, tuple):
        return type(value)(redact_values(part) for part in value)
    if type(value) is dict:
        return {redact_values(name): redact_values(part) for name, part in value.items()}
    return value


def redact_streams() -> None:
    """Remove the secrets of this process from everything that it prints: output, exit messages, tracebacks."""
    if _spellings:
        sys.stdout, sys.stderr = (  # type: ignore[assignment]
            ChangedStream(stream, redact_text) for stream in (sys.stdout, sys.stderr)
        )


class RecordFactory:
    """Builds log records without secrets, with the text of their traceback."""

    def __init__(self, factory: Any):
        self._factory = factory

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Build a record."""
        record = self._factory(*args, **kwargs)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # The handler reports a message whose arguments do not fit.
            return record
        if (redacted := redact_text(message)) != message:
            record.msg, record.args = redacted, ()
        if record.exc_info and record.exc_info[1] is not None:
            text = "".join(traceback.format_exception(record.exc_info[1])).rstrip("\n")
            if (redacted := redact_text(text)) != text:
                record.exc_text, record.exc_info = redacted, None
        return record


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes and the exceptions in its arguments, each once."""
    waiting: list[BaseException] = [error]
    known: set[int] = set()
    while waiting and len(known) < MAX_LINKS:
        link = waiting.pop()
        if id(link) in known:
            continue
        known.add(id(link))
        yield link
        members = link.exceptions if isinstance(link, BaseExceptionGroup) else ()
        parts = (link.__cause__, link.__context__, *members, *link.args, *vars(link).values())
        waiting += [part for part in parts if isinstance(part, BaseException)]
