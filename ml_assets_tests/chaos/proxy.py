"""A proxy in front of an S3 server that injects faults: errors, lost, truncated and slow responses; and that kills the
client.
"""

import http.client
import os
import random
import signal
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

SLOW_DOWN = (
    b'<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
)
INTERNAL = (
    b'<?xml version="1.0"?><Error><Code>InternalError</Code>'
    b"<Message>We encountered an internal error.</Message></Error>"
)
FAULTS = ("slow down", "internal error", "reset", "answer lost", "error after it was done", "answer cut", "slow")
"""slow down, internal error, reset: the request is not carried out. answer lost, error after it was done: it is carried
out, but the client gets no response, or an error. answer cut: the client gets half of the response. slow: it gets the
response late.
"""


class FaultProxy:
    """A server that passes requests on to another one with the fault that `plan` returns for each: a name of FAULTS,
    `kill before` or `kill after` the request was carried out, or None.

    plan: takes the number of the request, from 1, with method and path. victim: the process to kill. done: the
    number of injected faults by name.
    """

    def __init__(self, server: str):
        target = urlsplit(server)
        self.plan: Callable[[int, str, str], str | None] = lambda number, method, path: None
        self.victim: int | None = None
        self.done: Counter[str] = Counter()
        self.requests = 0
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self._body()
                fault = proxy._next(self.command, self.path)
                if fault in ("slow down", "internal error"):
                    return self._answer(
                        503 if fault == "slow down" else 500, {}, SLOW_DOWN if fault == "slow down" else INTERNAL
                    )
                if fault == "reset":
                    return self._reset()
                if fault == "kill before":
                    return proxy._kill()
                onward = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
                headers = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in ("connection", "transfer-encoding", "expect")
                }
                onward.request(self.command, self.path, body=body, headers=headers)
                answer = onward.getresponse()
                content = answer.read()
                onward.close()
                if fault == "kill after":
                    return proxy._kill()
                if fault == "answer lost":
                    return self._reset()
                if fault == "error after it was done":
                    return self._answer(500, {}, INTERNAL)
                if fault == "slow":
                    time.sleep(1.0)
                self._answer(answer.status, dict(answer.getheaders()), content, cut=fault == "answer cut")

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any

            def _body(self) -> bytes:
                if self.headers.get("transfer-encoding", "").lower() == "chunked":
                    parts = []
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        parts.append(self.rfile.read(size))
                        self.rfile.readline()
                    self.rfile.readline()
                    return b"".join(parts)
                return self.rfile.read(int(self.headers.get("content-length") or 0))

            def _answer(self, status: int, headers: dict[str, str], content: bytes, cut: bool = False) -> None:
                of_this_hop = ("connection", "transfer-encoding", "content-length", "date", "server")
                length = (
                    headers.get("Content-Length", str(len(content))) if self.command == "HEAD" else str(len(content))
                )
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in of_this_hop:
                        self.send_header(name, value)
                self.send_header("Content-Length", length)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content[: len(content) // 2] if cut else content)
                if cut:
                    self._reset()

            def _reset(self) -> None:
                self.wfile.flush()
                # Closed with nothing lingering, the client sees a reset.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Log no requests."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Clients that were killed have gone away in the middle of an answer."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "FaultProxy":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def calm(self) -> None:
        """Pass all requests on unchanged, and restart their count."""
        self.plan, self.requests, self.victim = lambda number, method, path: None, 0, None

    def _next(self, method: str, path: str) -> str | None:
        with self._lock:
            self.requests += 1
            fault = self.plan(self.requests, method, path)
            if fault:
                self.done[fault] += 1
            return fault

    def _kill(self) -> None:
        if self.victim is not None:
            os.kill(self.victim, signal.SIGKILL)


def some(share: float, draw: random.Random, faults: tuple[str, ...] = FAULTS) -> Callable[[int, str, str], str | None]:
    """Plan to let a share of all requests fail, each with one of some faults."""
    return lambda number, method, path: draw.choice(faults) if draw.random() < share else None


def nth(wanted: int, fault: str) -> Callable[[int, str, str], str | None]:
    """Plan one fault for one request."""
    return lambda number, method, path: fault if number == wanted else None


def all_of(fault: str) -> Callable[[int, str, str], str | None]:
    """Plan the same fault for every request."""
    return lambda number, method, path: fault
