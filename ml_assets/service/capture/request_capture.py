"""Captures served requests beside the requests: the event loop only adds to a bounded queue, a thread does the rest."""

import logging
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Protocol

from ml_assets.core.model_spec.deployment import Capture
from ml_assets.core.serving.captured_requests import RequestColumns, ServedRequest
from ml_assets.service.capture.spool import Spool

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger("ml_assets.service")
TICK_SECONDS = 1.0
"""Seconds between two writes to the spool: what a killed process can lose."""
ROWS_AT_ONCE = 64
"""Rows that are converted without a break: about half a millisecond, for which requests may wait."""
ROWS_PER_SEGMENT = 20_000
SPOOL_BYTES = 256 * 1024 * 1024
STOP_SECONDS = 20.0

WriteSegment = Callable[[date, str, "pa.Table"], None]


class CaptureMetrics(Protocol):
    """Counts what is captured."""

    def record_captured(self, rows: int) -> None:
        """Count rows that are in the lake."""

    def record_capture_dropped(self, reason: str, rows: int) -> None:
        """Count rows that are not kept."""


class RequestCapture:
    """Keeps a sample of the served requests.

    Rows wait in memory for at most a second (`buffer_rows` of them, further ones are dropped and counted), then in the
    spool on the local disk, and are written to the lake as one segment for each day of events after `flush_every`, or
    earlier if there are many. Where the lake cannot be written, they stay in the spool until they can, up to its size.
    A segment has the name of the file of the spool that it was written from, so one that is written twice is there
    once.

    Args:
        columns: makes rows of the table.
        settings: share of the requests, and bounds.
        spool: the spool.
        write: writes a segment: day, name, rows.
        clock: seconds that only grow.
        choose: returns random numbers from 0 to 1.
    """

    def __init__(
        self,
        columns: RequestColumns,
        settings: Capture,
        spool: Spool,
        write: WriteSegment,
        clock: Callable[[], float] = time.monotonic,
        choose: Callable[[], float] = random.random,
    ) -> None:
        self._columns = columns
        self._settings = settings
        self._spool = spool
        self._write = write
        self._clock = clock
        self._choose = choose
        self._queue: deque[ServedRequest] = deque()
        self._flushed_at = clock()
        self._logged_reason: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._dropped: Counter[str] = Counter()
        self.metrics: CaptureMetrics | None = None

    def record(self, served: ServedRequest) -> None:
        """Keep a served request, if it is in the sample and there is room. Takes microseconds and raises nothing."""
        if self._settings.sample < 1 and self._choose() >= self._settings.sample:
            return
        if len(self._queue) >= self._settings.buffer_rows:
            self._drop("buffer_full", 1)
            return
        self._queue.append(served)

    @property
    def waiting(self) -> int:
        """Requests in memory."""
        return len(self._queue)

    @property
    def dropped(self) -> dict[str, int]:
        """Requests that were not kept, by reason."""
        return dict(self._dropped)

    def start(self) -> None:
        """Start the thread that writes."""
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left to the lake, and end the thread; what cannot be written in time stays in the spool."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def write_due(self, everything: bool = False) -> None:
        """Write the queue to the spool, and the spool to the lake if that is due.

        Args:
            everything: write to the lake whether or not it is due.
        """
        self._drain()
        now, seconds = self._clock(), self._settings.flush_every.total_seconds()
        if everything or now - self._flushed_at >= seconds or self._spool.rows >= ROWS_PER_SEGMENT:
            self._flushed_at = now
            self._spool.close()
            self._write_segments()

    def _run(self) -> None:
        # Files of processes that were killed do not wait for the first flush.
        self._flushed_at = self._clock() - self._settings.flush_every.total_seconds()
        while not self._stopping.wait(TICK_SECONDS):
            self._attempt(everything=False)
        self._attempt(everything=True)

    def _attempt(self, everything: bool) -> None:
        try:
            self.write_due(everything)
        # The thread must not end: whatever is wrong, the next attempt may succeed, and the queue is bounded.
        except Exception as error:
            self._log(f"served requests cannot be captured: {type(error).__name__}: {error}")

    def _drain(self) -> None:
        has_room = not self._queue or self._spool.bytes() < SPOOL_BYTES
        while self._queue:
            rows = [self._queue.popleft() for _ in range(min(ROWS_AT_ONCE, len(self._queue)))]
            if not has_room:
                self._drop("spool_full", len(rows))
                continue
            try:
                self._spool.append(self._columns.batch(rows))
            except Exception as error:
                self._drop("not_written", len(rows))
                self._log(f"{len(rows)} served requests cannot be kept: {type(error).__name__}: {error}")
            # Lets requests go on between two slices.
            time.sleep(0)

    def _write_segments(self) -> None:
        for name, rows in self._spool.closed():
            if rows is not None:
                try:
                    for day, of_day in self._columns.by_day(rows):
                        self._write(day, name, of_day)
                except Exception as error:
                    self._log(
                        f"served requests cannot be written to the lake and stay on the local disk: "
                        f"{type(error).__name__}: {error}"
                    )
                    return
                if self.metrics is not None:
                    self.metrics.record_captured(rows.num_rows)
            self._spool.delete(name)
        if self._logged_reason is not None:
            log.info("served requests are written to the lake again")
        self._logged_reason = None

    def _drop(self, reason: str, rows: int) -> None:
        self._dropped[reason] += rows
        if self.metrics is not None:
            self.metrics.record_capture_dropped(reason, rows)

    def _log(self, reason: str) -> None:
        """Log a reason once, until writing succeeds again."""
        if reason != self._logged_reason:
            log.error(reason)
        self._logged_reason = reason
