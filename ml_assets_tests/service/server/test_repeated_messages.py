"""Clients cannot fill the log."""

import logging

from ml_assets.service.server.repeated_messages import RepeatedMessages


def test_the_same_message_is_logged_once_in_a_period(monkeypatch):
    now = 100.0
    monkeypatch.setattr("ml_assets.service.server.repeated_messages.time.monotonic", lambda: now)
    repeated, lines = RepeatedMessages(10.0), []

    def log(message: str, level: int = logging.WARNING) -> None:
        record = logging.LogRecord("uvicorn.error", level, "", 0, message, (), None)
        if repeated.filter(record):
            lines.append(record.getMessage())

    for _ in range(3):
        log("Invalid HTTP request received.")
    log("another")
    log("an error", logging.ERROR)
    log("an error", logging.ERROR)
    now = 111.0
    log("Invalid HTTP request received.")
    assert lines == [
        "Invalid HTTP request received.",
        "another",
        "an error",
        "an error",
        "Invalid HTTP request received. (2 more since the last line)",
    ]
