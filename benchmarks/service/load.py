"""Load on a server over connections that stay open, with the times of its responses."""

import asyncio
import os
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple


class Load(NamedTuple):
    """Responses of one period of load.

    seconds: of each response. elapsed: of the period. failed: responses with another status than 200, and connections
    that ended. processor: processor seconds of the server.
    """

    seconds: list[float]
    elapsed: float
    failed: int
    processor: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.seconds) / self.elapsed

    def quantile(self, share: float) -> float:
        """Return the milliseconds within which a share of the requests was answered."""
        return 1000 * sorted(self.seconds)[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


def add_loads(loads: list[Load]) -> Load:
    """Add up the periods of one server."""
    return Load(
        [second for load in loads for second in load.seconds],
        sum(load.elapsed for load in loads),
        sum(load.failed for load in loads),
        sum(load.processor for load in loads),
    )


class Connection(asyncio.Protocol):
    """One connection that stays open; each request follows the response to the one before."""

    def __init__(self, requests: list[bytes], first: int, step: int, load: "Clock") -> None:
        self._requests, self._next, self._step, self._load = requests, first, step, load
        self._buffer, self._sent = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += self._step

    def data_received(self, data: bytes) -> None:
        """Record a complete response, and send the next request until the time is over."""
        self._buffer += data
        head, gap, body = self._buffer.partition(b"\r\n\r\n")
        if not gap or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            return
        self._buffer = b""
        self._load.record_response(time.perf_counter() - self._sent, head.startswith(b"HTTP/1.1 200"))
        if time.perf_counter() < self._load.end:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Count a connection that ends too early as a failed request."""
        self._load.record_closed(is_early=time.perf_counter() < self._load.end)


class Clock:
    """The counters that the connections of one period share."""

    def __init__(self, seconds: float, connections: int) -> None:
        self.begun = time.perf_counter()
        self.end, self._open = self.begun + seconds, connections
        self.seconds, self.failed, self.done = [], 0, asyncio.get_running_loop().create_future()

    def record_response(self, seconds: float, is_good: bool) -> None:
        """Count a response."""
        self.seconds.append(seconds)
        self.failed += not is_good

    def record_closed(self, is_early: bool) -> None:
        """Count the end of a connection."""
        self.failed += is_early
        self._open -= 1
        if not self._open:
            self.done.set_result(time.perf_counter() - self.begun)


def processor_seconds(server: subprocess.Popen) -> float:
    """Return the processor seconds that a process has used (Linux)."""
    fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(server: subprocess.Popen, port: int, bodies: list[bytes], seconds: float, connections: int) -> Load:
    """Send requests over a number of connections for a number of seconds."""
    head = "POST /score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    requests = [head.format(len(body)).encode() + body for body in bodies]
    clock, used = Clock(seconds, connections), processor_seconds(server)
    for number in range(connections):
        await asyncio.get_running_loop().create_connection(
            lambda number=number: Connection(requests, number, connections, clock), "127.0.0.1", port
        )
    elapsed = await clock.done
    return Load(clock.seconds, elapsed, clock.failed, processor_seconds(server) - used)


def wait_for(address: str) -> None:
    """Wait until an address answers with 200."""
    end = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
