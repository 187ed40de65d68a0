"""Sends lineage to OpenLineage, if enabled, from its own thread, so that no step waits for it or fails with it."""

import logging
import time
from functools import cache
from queue import Empty, Full, Queue
from threading import Condition, Thread
from typing import Any

from ml_assets.core.extras import needs_extra
from ml_assets.core.operations.lineage import StepEvent
from ml_assets.resources.observability.redaction import redact_text

log = logging.getLogger("ml_assets.lineage")
MAX_WAITING = 1_000
# The maximum time that an ending step waits for unsent events.
SECONDS_TO_FLUSH = 2.0
# After a failure no event is sent for this time, so that an unreachable endpoint costs only one timeout.
SECONDS_OF_SILENCE = 60.0
_namespace: str | None = None


def enable_lineage(namespace: str | None) -> None:
    """Set the namespace of the jobs in lineage; None, the initial state, to send nothing."""
    global _namespace
    _namespace = namespace


def is_lineage_enabled() -> bool:
    """Return whether steps of this process send lineage."""
    return _namespace is not None


def send_lineage(event: StepEvent) -> None:
    """Queue an event to be sent; it is dropped if too many are waiting."""
    if _namespace is not None:
        _sender().send(event, _namespace)


def flush_lineage() -> None:
    """Wait up to two seconds until all events are sent; do not wait if sending fails."""
    if _namespace is not None:
        _sender().flush(SECONDS_TO_FLUSH)


class LineageSender:
    """A queue of events and the thread that sends them to the endpoint that OpenLineage's variables name."""

    def __init__(self, client: Any = None) -> None:
        self._client = client
        self._queue: Queue[tuple[StepEvent, str]] = Queue(MAX_WAITING)
        self._is_idle = Condition()
        self._unsent = 0
        self._thread: Thread | None = None
        self._silent_until = 0.0
        self._has_warned = False

    def send(self, event: StepEvent, namespace: str) -> None:
        """Put an event into the queue."""
        # A forked process does not inherit the thread.
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._work, name="lineage", daemon=True)
            self._thread.start()
        with self._is_idle:
            try:
                self._queue.put_nowait((event, namespace))
                self._unsent += 1
            except Full:
                self._warn(f"{MAX_WAITING} events wait to be sent")

    def flush(self, seconds: float) -> None:
        """Wait until the queue is empty, for at most `seconds`; do not wait after a failure."""
        deadline = time.monotonic() + seconds
        with self._is_idle:
            while self._unsent and not self._is_silent() and (left := deadline - time.monotonic()) > 0:
                self._is_idle.wait(left)
            if self._unsent and not self._is_silent():
                self._fall_silent(f"the events were not sent within {seconds:g} seconds")

    def _work(self) -> None:
        while True:
            try:
                event, namespace = self._queue.get(timeout=SECONDS_OF_SILENCE)
            except Empty:
                continue
            try:
                if not self._is_silent():
                    self._emit(event, namespace)
            except Exception as error:
                with self._is_idle:
                    self._fall_silent(f"{type(error).__name__}: {error}")
            finally:
                with self._is_idle:
                    self._unsent -= 1
                    self._is_idle.notify_all()

    def _emit(self, event: StepEvent, namespace: str) -> None:
        from ml_assets.resources.observability.lineage_events import build_event

        if self._client is None:
            with needs_extra("lineage", "an endpoint for lineage (OPENLINEAGE_URL)"):
                from openlineage.client import OpenLineageClient

            self._client = OpenLineageClient()
        self._client.emit(build_event(event, namespace))

    def _is_silent(self) -> bool:
        return time.monotonic() < self._silent_until

    def _fall_silent(self, reason: str) -> None:
        self._silent_until = time.monotonic() + SECONDS_OF_SILENCE
        self._warn(reason)
        self._is_idle.notify_all()

    def _warn(self, reason: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            log.warning("lineage could not be sent, and is dropped until it can be: %s", redact_text(reason))


@cache
def _sender() -> LineageSender:
    return LineageSender()
