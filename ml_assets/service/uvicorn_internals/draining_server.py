"""uvicorn's server, whose clients leave before it ends.

Reason: at SIGTERM uvicorn closes the connections that are idle. A request that a client sends on one of them at that
moment is lost, and clients do not send a POST again by themselves.
Public API that would replace it: a setting of uvicorn for the time in which clients are asked to close connections.
"""

import asyncio
import signal
import socket
from types import FrameType

import uvicorn

CLOSE = (b"connection", b"close")


class DrainingServer(uvicorn.Server):
    """A server that, at SIGTERM, still answers for a while, and closes each connection with its next response.

    It ends as soon as there are no connections. SIGINT, from a terminal, ends it at once.

    Args:
        config: of uvicorn. Connections that are idle for `timeout_keep_alive` seconds close by themselves, so no
            client keeps the server from ending for longer.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._drains = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Remember which signal ends the server."""
        self._drains = sig == signal.SIGTERM
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait until clients have left, then end as uvicorn does."""
        if self._drains:
            # The list itself, which requests in progress have too.
            self.server_state.default_headers.append(CLOSE)
            await self._wait_for_clients()
        await super().shutdown(sockets)

    async def _wait_for_clients(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.config.timeout_keep_alive + 0.5
        while self.server_state.connections and loop.time() < end and not self.force_exit:
            await asyncio.sleep(0.05)
