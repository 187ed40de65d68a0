"""Lineage is sent in the background: no step waits for long, fails, or fills memory with it."""

import logging
import threading
import time
from datetime import UTC, datetime

import pytest

from ml_assets.core.operations.lineage import StepEvent, StepRun
from ml_assets.resources.observability import lineage
from ml_assets.resources.observability.lineage import LineageSender

pytest.importorskip("openlineage")

NOW = datetime(2025, 3, 1, tzinfo=UTC)
EVENT = StepEvent("START", NOW, StepRun("6e1b1f4c-6a1e-4c57-9d3a-1f6a0b0c9d11", 0, "job", "m.s", NOW, NOW, "1"))


class Client:
    """A client that sends with a function, and counts."""

    def __init__(self, send=lambda: None):
        self.sent = 0
        self._send = send

    def emit(self, event) -> None:
        self.sent += 1
        self._send()


def test_events_are_sent_when_the_flush_returns():
    client = Client()
    sender = LineageSender(client)
    for _ in range(10):
        sender.send(EVENT, "x")
    sender.flush(5)
    assert client.sent == 10


def test_a_place_that_fails_is_tried_once_and_named_once(caplog):
    client = Client(lambda: 1 / 0)
    sender = LineageSender(client)
    with caplog.at_level(logging.WARNING, "ml_assets.lineage"):
        for _ in range(10):
            sender.send(EVENT, "x")
            sender.flush(5)
    assert client.sent == 1
    assert [record.message for record in caplog.records] == [
        "lineage could not be sent, and is dropped until it can be: ZeroDivisionError: division by zero"
    ]


def test_a_place_that_failed_is_tried_again_after_a_while(monkeypatch):
    monkeypatch.setattr(lineage, "SECONDS_OF_SILENCE", 0.05)
    failing = [True]
    client = Client(lambda: 1 / 0 if failing[0] else None)
    sender = LineageSender(client)
    sender.send(EVENT, "x")
    sender.flush(5)
    failing[0] = False
    time.sleep(0.1)
    sender.send(EVENT, "x")
    sender.flush(5)
    assert client.sent == 2


def test_a_place_that_does_not_answer_costs_one_wait_in_all_steps_together(caplog):
    forever = threading.Event()
    sender = LineageSender(Client(forever.wait))
    begun = time.monotonic()
    for _ in range(20):
        sender.send(EVENT, "x")
        sender.flush(0.2)
    took = time.monotonic() - begun
    forever.set()
    assert 0.2 <= took < 2
    assert len(caplog.records) == 1


def test_events_that_wait_are_bounded(monkeypatch, caplog):
    monkeypatch.setattr(lineage, "MAX_WAITING", 5)
    forever = threading.Event()
    sender = LineageSender(Client(forever.wait))
    for _ in range(100):
        sender.send(EVENT, "x")
    assert sender._unsent <= 6
    assert len(caplog.records) == 1
    forever.set()


def test_nothing_is_sent_and_nothing_starts_without_configuration(monkeypatch):
    monkeypatch.setattr(lineage, "_sender", lambda: pytest.fail("a sender was made"))
    lineage.enable_lineage(None)
    lineage.send_lineage(EVENT)
    lineage.flush_lineage()
    assert not lineage.is_lineage_enabled()
