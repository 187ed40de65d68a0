"""Records of the loggers `ml_assets.*` as JSON lines, with model, stage, day and run if they are known."""

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from ml_assets.core.operations.notifications.redaction import redact

_step_fields: Mapping[str, str] = {}


def log_as_json(secrets: Sequence[str] = (), stream: TextIO | None = None) -> logging.Handler:
    """Write records of `ml_assets.*` from level INFO on as one JSON object per line. Call it once in a process.

    Args:
        secrets: values that are removed from every line.
        stream: the stream to write to; standard error by default.

    Returns:
        The handler, which may be removed from the logger `ml_assets`.
    """
    from pythonjsonlogger.json import JsonFormatter

    class Formatter(JsonFormatter):
        """Adds the fields of the step, and writes the outcome of a day as its figures."""

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
            for name, value in _step_fields.items():
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
    # The root logger would write each record a second time, as text.
    logger.propagate = False
    return handler


def set_step_fields(model: str, stage: str, run: str) -> None:
    """Add these fields to every line of this process from now on. A process runs one step at a time."""
    global _step_fields
    _step_fields = {"model": model, "stage": stage, "run": run}
