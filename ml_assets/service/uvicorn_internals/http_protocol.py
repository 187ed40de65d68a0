"""uvicorn's protocol for a connection, with deadlines for head, body and response, and bounds on buffered data.

Reason: uvicorn closes a connection that is idle between two requests, but waits forever for the first head, for the
rest of a head or body, and for a client that does not read its response; it bounds neither heads nor pipelined
requests. Public API that would replace it: settings of uvicorn for these deadlines and bounds, similar to
`timeout_keep_alive`.
"""

import math
from typing import Any

from uvicorn.middleware.proxy_headers import _TrustedHosts
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ml_assets.service.server.connections import ConnectionTable, Stage

LINGER_SECONDS = 2.0
"""Seconds for which the rest of an already answered request is read, so that its client can read the response."""
LAST_READ_SECONDS = 0.05
"""Seconds after its deadline during which an idle connection may still receive a request."""
_CLOSE = b"content-length: 0\r\nconnection: close\r\n\r\n"
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\n" + _CLOSE
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _CLOSE
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n" + _CLOSE


class BoundedHttpProtocol(HttpToolsProtocol):
    """A connection. deadline: event loop time at which the table ends it."""

    def __init__(self, table: ConnectionTable, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.deadline = math.inf
        self._table = table
        self._limits = table.limits
        self._bytes = 0
        self._is_in_body = False
        self._is_refused = False
        self._running: RequestResponseCycle | None = None
        self._problem: str | None = None

    def connection_made(self, transport: Any) -> None:
        """Add the connection to the table, or refuse it."""
        super().connection_made(transport)
        if self._table.add(self, self.client[0] if self.client else ""):
            self.deadline = self.loop.time() + self._limits.head_seconds
        else:
            self._is_refused = True
            self._table.record_closed("refused")
            transport.write(_FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection from the table; its requests are answered no more."""
        self._table.remove(self)
        self.pipeline.clear()
        # uvicorn tells only the newest request.
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the received data, within the bounds of heads and requests."""
        if self._is_refused:
            return
        self._bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing() or self._is_refused:
            return
        if self._is_in_body:
            if self._bytes > self._limits.message_bytes:
                self.end("request_too_large")
        elif self._bytes > self._limits.head_bytes:
            self._end_with(_HEAD_TOO_LARGE, "head_too_large")

    def on_headers_complete(self) -> None:
        """Start the deadline of the body; refuse too many pipelined requests."""
        if len(self.pipeline) >= self._limits.pipelined:
            self._table.record_closed("too_many_pipelined")
            # The parser reports it as an error, see `send_400_response`.
            raise ValueError(f"more than {self._limits.pipelined} pipelined requests")
        super().on_headers_complete()
        self._bytes = 0
        self._is_in_body = True
        self._set_stage(Stage.BODY, self._limits.body_seconds + LINGER_SECONDS)

    def on_message_complete(self) -> None:
        """End the deadline of the body."""
        super().on_message_complete()
        self._bytes = 0
        self._is_in_body = False
        self._wait_for_next()

    def on_response_complete(self) -> None:
        """Start the deadline of the next head, or of the rest of this body."""
        is_last = not self.pipeline
        super().on_response_complete()
        if self._problem is not None and is_last and not self.transport.is_closing():
            super().send_400_response(self._problem)
            return
        if self.transport.is_closing() or (self._is_in_body and self.cycle.response_complete):
            is_unsent = self.transport.get_write_buffer_size() > 0
            self._set_stage(Stage.BODY, self._limits.body_seconds if is_unsent else LINGER_SECONDS)
        elif not self._is_in_body:
            self._wait_for_next()

    def send_400_response(self, msg: str) -> None:
        """Answer a broken request with 400 and close, after the responses to the complete requests before it."""
        if self._is_in_body and self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()
        running = self._running
        if running is None or running.response_complete or (self._is_in_body and running is self.cycle):
            super().send_400_response(msg)
        else:
            self._problem = msg
            self._is_refused = True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        """Start the deadline of a client that does not read."""
        super().pause_writing()
        self._set_stage(Stage.BODY, self._limits.body_seconds)

    def resume_writing(self) -> None:
        """End the deadline of a client that reads again."""
        super().resume_writing()
        if not self._is_in_body:
            self._wait_for_next()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, but first read what its client may have sent: uvloop calls timers first, and all of
        them are late if this process was not scheduled for seconds.
        """
        close = super().timeout_keep_alive_handler
        self.timeout_keep_alive_task = self.loop.call_later(LAST_READ_SECONDS, close)

    def end(self, reason: str) -> None:
        """Close the connection, with a response if part of a request has arrived and no response was begun."""
        if self.transport.is_closing() or self._is_in_body:
            self._table.record_closed(reason)
            self.transport.abort()
        else:
            is_in_head = self._bytes and reason == "deadline" and not self.transport.get_write_buffer_size()
            self._end_with(_TIMEOUT if is_in_head else b"", reason)

    def _end_with(self, response: bytes, reason: str) -> None:
        self._table.record_closed(reason)
        if response and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(response)
            self.transport.close()
            self.deadline = self.loop.time() + LINGER_SECONDS
        else:
            self.transport.abort()

    def _wait_for_next(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._set_stage(Stage.IDLE, self._limits.keep_alive_seconds + self._limits.head_seconds)
        else:
            self._set_stage(Stage.WORKING, math.inf)

    def _set_stage(self, stage: Stage, seconds: float) -> None:
        self.deadline = self.loop.time() + seconds
        self._table.move(self, stage)


def trusted_hosts(addresses: str | None) -> _TrustedHosts | tuple[()]:
    """Return the addresses in uvicorn's setting `forwarded_allow_ips`, parsed by uvicorn."""
    return _TrustedHosts(addresses) if addresses else ()
