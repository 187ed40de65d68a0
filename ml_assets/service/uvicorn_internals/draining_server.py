"""A uvicorn server that lets clients disconnect before it ends.

Reason: at SIGTERM uvicorn closes idle connections. A request that a client sends on one of them at that moment is lost,
and clients do not retry a POST by themselves. Public API that would replace it: a setting of uvicorn for the time in
which clients are asked to close connections.
"""

import asyncio
import signal
import socket
from types import FrameType

import uvicorn

CLOSE = (b"connection", b"close")


class DrainingServer(uvicorn.Server):
    """A server that continues to answer for a while after SIGTERM, and closes each connection with its next response.

    It ends as soon as there are no connections. SIGINT, from a terminal, ends it at once.

    Args:
        config: uvicorn's configuration. Connections close after `timeout_keep_alive` idle seconds, so an idle client
            delays the end of the server by no more than that.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._drains = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Remember the signal that ends the server."""
        self._drains = sig == signal.SIGTERM
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait until clients have disconnected, then end like uvicorn."""
        if self._drains:
            # Change the list in place, because requests in progress share it.
            self.server_state.default_headers.append(CLOSE)
            await self._wait_for_clients()
        await super().shutdown(sockets)

    async def _wait_for_clients(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.config.timeout_keep_alive + 0.5
        while self.server_state.connections and loop.time() < end and not self.force_exit:
            await asyncio.sleep(0.05)
