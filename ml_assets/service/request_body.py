"""Reading of request bodies within a deadline, a size and a number of large ones at a time."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ml_assets.service.limits import Limits
from ml_assets.service.middleware import too_large
from ml_assets.service.responses import RequestRejected

if TYPE_CHECKING:
    from starlette.requests import Request

LARGE_BYTES = 65_536
"""Size from which on the number of bodies in memory is bounded."""
LARGE_BODIES = 64


class Slots:
    """A number of places, of which one client may have a quarter."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._per_client = max(1, number // 4)
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, client: str) -> Iterator[None]:
        """Take a place for a client until the block ends.

        Raises:
            RequestRejected: with 503, when there is none.
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


async def read_body(request: "Request", limits: Limits, slots: Slots, client: str) -> bytes:
    """Read the body of a request.

    Raises:
        RequestRejected: as soon as it is known to be too large, when it is not complete in time, when the client
            disconnects, and when too many large bodies are being read.
    """
    from starlette.requests import ClientDisconnect

    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            stream = request.stream()
            async for part in stream:
                body += part
                if len(body) > LARGE_BYTES:
                    break
            else:
                return _checked(body, limits)
            with slots.taken(client):
                async for part in stream:
                    body += part
                    if len(body) > limits.body_bytes:
                        break
    except ClientDisconnect:
        raise RequestRejected(400, "the connection ended before the request did") from None
    except TimeoutError:
        raise RequestRejected(
            408, f"the body was not complete within {limits.body_seconds:g} seconds", {"Connection": "close"}
        ) from None
    return _checked(body, limits)


def _checked(body: bytearray, limits: Limits) -> bytes:
    if len(body) > limits.body_bytes:
        raise too_large(limits.body_bytes)
    return bytes(body)
