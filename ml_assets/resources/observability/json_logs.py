"""What the loggers `ml_assets.*` say as JSON lines, with model, stage, day and run where they are known."""

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from ml_assets.core.operations.notifications.redaction import redact

_of_step: Mapping[str, str] = {}


def log_as_json(secrets: Sequence[str] = (), stream: TextIO | None = None) -> logging.Handler:
    """Write what `ml_assets.*` logs, from INFO on, as one JSON object a line; once in a process.

    Args:
        secrets: values that are taken out of every line.
        stream: where to; standard error when left out.

    Returns:
        The handler, which may be removed from the logger `ml_assets`.
    """
    from pythonjsonlogger.json import JsonFormatter

    class Formatter(JsonFormatter):
        """Adds what is known of the step, and writes the outcome of a day as its figures."""

        def add_fields(self, log_data: dict, record: logging.LogRecord, message_dict: dict) -> None:
            super().add_fields(log_data, record, message_dict)
            outcome = log_data.pop("outcome", None)
            if outcome is not None:
                figures = {
                    "day": outcome.day,
                    "outcome": "computed" if outcome.computed else "unchanged",
                    "seconds": round(outcome.seconds, 3),
                }
                log_data |= {
                    **figures,
                    "rows": dict(outcome.rows),
                    **({"problem": outcome.problem} if outcome.problem else {}),
                }
            for name, value in _of_step.items():
                log_data.setdefault(name, value)

        def format(self, record: logging.LogRecord) -> str:
            return redact(super().format(record), secrets)

    names = {"asctime": "time", "levelname": "level", "name": "logger"}
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        Formatter("{asctime}{levelname}{name}{message}", "%Y-%m-%dT%H:%M:%S%z", style="{", rename_fields=names)
    )
    logger = logging.getLogger("ml_assets")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    # Not a second time, as text.
    logger.propagate = False
    return handler


def name_step(model: str, stage: str, run: str) -> None:
    """What the lines of this process are about from here on: a process does one step at a time."""
    global _of_step
    _of_step = {"model": model, "stage": stage, "run": run}
