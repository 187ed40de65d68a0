"""Capture of served requests in the background: the event loop adds to a bounded queue, and two threads do the rest."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from ml_assets.core.model_spec.deployment import Capture
from ml_assets.core.serving.captured_requests import RequestColumns, ServedRequest
from ml_assets.service.capture.spool import Spool

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger("ml_assets.service")
TICK_SECONDS = 1.0
"""Seconds between writes to the spool: the maximum that a killed process loses."""
ROWS_AT_ONCE = 64
"""Rows that are converted without interruption: about half a millisecond, during which requests may wait."""
ROWS_PER_SEGMENT = 20_000
SPOOL_BYTES = 256 * 1024 * 1024
STOP_SECONDS = 20.0

WriteSegment = Callable[[date, str, "pa.Table"], None]


class CaptureMetrics(Protocol):
    """Counters of captured requests."""

    def record_captured(self, rows: int) -> None:
        """Count rows that were written to the lake."""

    def record_capture_dropped(self, reason: str, rows: int) -> None:
        """Count rows that were dropped."""


class RequestCapture:
    """Keeps a sample of the served requests.

    Rows wait in memory for at most a second (up to `buffer_rows` rows; more are dropped and counted), then in the spool
    on the local disk. After `flush_every`, or earlier if there are many, they are written to the lake as one segment
    per day of events. One thread writes the spool and another the lake, so a slow lake does not fill memory. If the
    lake cannot be written, rows stay in the spool, up to its maximum size. A segment is named after its spool file, so
    writing it twice does not duplicate it.

    Args:
        columns: converts requests to rows of the table.
        settings: share of the requests, and bounds.
        spool: the spool.
        write: writes a segment: day, name, rows.
        clock: monotonic clock, in seconds.
    """

    def __init__(
        self,
        columns: RequestColumns,
        settings: Capture,
        spool: Spool,
        write: WriteSegment,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._columns = columns
        self._settings = settings
        self._spool = spool
        self._write = write
        self._clock = clock
        self._queue: deque[ServedRequest] = deque()
        self._flushed_at = clock()
        self._logged_reason: str | None = None
        self._stopping, self._is_due, self._is_drained = (threading.Event() for _ in range(3))
        self._threads: list[threading.Thread] = []
        self._dropped: Counter[str] = Counter()
        self.metrics: CaptureMetrics | None = None

    def record(self, served: ServedRequest) -> None:
        """Keep a served request if it is in the sample and there is room. Takes microseconds and never raises."""
        if self._settings.sample < 1 and not self._columns.is_in_sample(served, self._settings.sample):
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
        """Start the writer threads."""
        for name, run in (("capture", self._write_spool), ("capture-lake", self._write_lake)):
            self._threads.append(threading.Thread(target=run, name=name, daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Write the remaining rows to the lake and end the threads; rows that cannot be written in time stay in the
        spool."""
        self._stopping.set()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))

    def close_spool_if_due(self, everything: bool = False) -> bool:
        """Write the queue to the spool, and close the spool file if a write to the lake is due.

        Args:
            everything: whether to close the file in any case.

        Returns:
            Whether there is a file for `write_segments`.
        """
        self._drain()
        now, seconds = self._clock(), self._settings.flush_every.total_seconds()
        is_due = everything or now - self._flushed_at >= seconds or self._spool.rows >= ROWS_PER_SEGMENT
        if is_due:
            self._flushed_at = now
            self._spool.close()
        return is_due

    def _write_spool(self) -> None:
        # Write files of killed processes at once instead of at the first flush.
        self._flushed_at = self._clock() - self._settings.flush_every.total_seconds()
        while not self._stopping.wait(TICK_SECONDS):
            if self._attempt(self.close_spool_if_due):
                self._is_due.set()
        self._attempt(lambda: self.close_spool_if_due(everything=True))
        self._is_drained.set()
        self._is_due.set()

    def _write_lake(self) -> None:
        is_last = False
        while not is_last:
            self._is_due.wait()
            self._is_due.clear()
            is_last = self._is_drained.is_set()
            self._attempt(self.write_segments)

    def _attempt(self, write: Callable[[], bool | None]) -> bool | None:
        try:
            return write()
        # The thread must survive any error, because the next attempt may succeed, and the queue is bounded.
        except Exception as error:
            self._log(f"served requests cannot be captured: {type(error).__name__}: {error}")
            return None

    def _drain(self) -> None:
        has_room = not self._queue or self._spool.bytes() < SPOOL_BYTES
        while self._queue:
            rows = [self._queue.popleft() for _ in range(min(ROWS_AT_ONCE, len(self._queue)))]
            if not has_room:
                self._drop("spool_full", len(rows))
                continue
            for batch in self._batches(rows):
                try:
                    self._spool.append(batch)
                except Exception as error:
                    self._refuse(batch.num_rows, error)
            # Let requests proceed between two slices.
            time.sleep(0)

    def _batches(self, rows: "Sequence[ServedRequest]") -> "Iterator[pa.RecordBatch]":
        """Convert requests to batches; a request that cannot be converted is dropped without affecting the others."""
        try:
            yield self._columns.batch(rows)
        except Exception as error:
            if len(rows) == 1:
                self._refuse(1, error)
                return
            for row in rows:
                yield from self._batches([row])

    def write_segments(self) -> None:
        """Write the closed spool files to the lake, until one cannot be written."""
        for name, rows in self._spool.closed():
            if rows is not None and not self._write_days(name, rows):
                return
            self._spool.delete(name)
        if self._logged_reason is not None:
            log.info("served requests are written to the lake again")
        self._logged_reason = None

    def _write_days(self, name: str, rows: "pa.Table") -> bool:
        """Write the segments of a file; return False if the lake cannot be written, so that the file stays."""
        try:
            days = list(self._columns.by_day(rows))
        except Exception as error:
            # The file is of an earlier specification with another name or type of the event time.
            self._refuse(rows.num_rows, error)
            return True
        try:
            for day, of_day in days:
                self._write(day, name, of_day)
        except Exception as error:
            self._log(
                f"served requests cannot be written to the lake and stay on the local disk: "
                f"{type(error).__name__}: {error}"
            )
            return False
        if self.metrics is not None:
            self.metrics.record_captured(rows.num_rows)
        return True

    def _refuse(self, rows: int, error: Exception) -> None:
        self._drop("not_written", rows)
        self._log(f"served requests cannot be kept: {type(error).__name__}: {error}")

    def _drop(self, reason: str, rows: int) -> None:
        self._dropped[reason] += rows
        if self.metrics is not None:
            self.metrics.record_capture_dropped(reason, rows)

    def _log(self, reason: str) -> None:
        """Log a reason once, until writing succeeds again."""
        if reason != self._logged_reason:
            log.error(reason)
        self._logged_reason = reason
