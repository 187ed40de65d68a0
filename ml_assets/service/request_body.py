"""Reading of request bodies with limits on time, size and the number of large bodies at a time."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ml_assets.service.limits import Limits
from ml_assets.service.middleware import too_large
from ml_assets.service.responses import RequestRejected

if TYPE_CHECKING:
    from starlette.types import Receive

LARGE_BYTES = 65_536
"""Size above which the number of bodies in memory is limited."""
LARGE_BODIES = 64


class Slots:
    """A number of slots, of which one client may take a quarter."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._per_client = max(1, number // 4)
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, client: str) -> Iterator[None]:
        """Take a slot for a client until the block ends.

        Raises:
            RequestRejected: with 503, when no slot is free.
        """
        if self._taken.total() >= self._number or self._taken[client] >= self._per_client:
            raise RequestRejected(503, "too many large requests at the same time; retry later", {"Retry-After": "1"})
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]


async def read_body(receive: "Receive", limits: Limits, slots: Slots, client: str) -> bytes:
    """Read the body of a request from the messages of its ASGI server.

    Raises:
        RequestRejected: as soon as it is known to be too large, when it is not complete in time, when the client
            disconnects, and when too many large bodies are being read.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            if await _receive_more(receive, body, LARGE_BYTES):
                with slots.taken(client):
                    await _receive_more(receive, body, limits.body_bytes)
    except TimeoutError:
        raise RequestRejected(
            408, f"the body was not complete within {limits.body_seconds:g} seconds", {"Connection": "close"}
        ) from None
    if len(body) > limits.body_bytes:
        raise too_large(limits.body_bytes)
    return bytes(body)


async def _receive_more(receive: "Receive", body: bytearray, max_bytes: int) -> bool:
    """Receive parts of a body until it is complete or larger than a size; return whether more may follow."""
    while len(body) <= max_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestRejected(400, "the connection ended before the request did")
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return False
    return True
