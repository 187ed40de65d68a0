"""Honest clients of the service: requests for scores at a steady rate, and probes of its health."""

import asyncio
import time
from typing import NamedTuple

KEY = "a-key-of-the-soak"
HEAD = (
    "POST /score HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\n\r\n"
)


class Period(NamedTuple):
    """Responses of one period. seconds: of each honest response. health: of each probe of /health. failed: honest
    responses with another status than 200, and connections that ended.
    """

    seconds: list[float]
    health: list[float]
    failed: int


def quantile(seconds: list[float], share: float) -> float:
    """Return the milliseconds within which a share of the requests was answered."""
    return 1000 * sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)] if seconds else float("nan")


def request(body: bytes, key: str = KEY) -> bytes:
    """Return a request for a score as bytes."""
    return HEAD.format(key=key, length=len(body)).encode() + body


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, content: bytes) -> bytes:
    """Send a request, and return the status of its response once it is complete."""
    writer.write(content)
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return head[9:12]


async def send_at_rate(port: int, requests: list[bytes], rate: float, seconds: float, connections: int) -> Period:
    """Send honest requests at a rate, and a probe of /health twenty times a second."""
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    period, failed = Period([], [], 0), 0

    async def work() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (entry := await due.get()) is not None:
            try:
                status = await exchange(reader, writer, entry[1])
            except (OSError, asyncio.IncompleteReadError):
                status = b""
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            period.seconds.append(time.perf_counter() - entry[0])
            failed += status != b"200"
        writer.close()

    async def probe() -> None:
        while True:
            begun = time.perf_counter()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await exchange(reader, writer, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            period.health.append(time.perf_counter() - begun)
            writer.close()
            await asyncio.sleep(0.05)

    workers = [asyncio.create_task(work()) for _ in range(connections)]
    probes = asyncio.create_task(probe())
    begun = time.perf_counter()
    for number in range(int(rate * seconds)):
        moment = begun + number / rate
        if (wait := moment - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait((moment, requests[number % len(requests)]))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    probes.cancel()
    return period._replace(failed=failed)
