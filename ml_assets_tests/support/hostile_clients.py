"""Clients that misuse a connection: plain sockets that send what no HTTP library would."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


def connect(port: int, source: str = "127.0.0.1") -> socket.socket:
    """Open a connection to a port of the loopback interface, from one of its addresses."""
    return socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0))


def exchange(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send parts with pauses between them, and return everything until the server closes the connection."""
    with connect(port) as client:
        for part in parts:
            try:
                client.sendall(part)
            except OSError:
                break
            time.sleep(pause)
        return read_to_end(client)


def read_to_end(client: socket.socket) -> bytes:
    """Return what arrives until the connection is closed."""
    received = b""
    try:
        while part := client.recv(65_536):
            received += part
    except ConnectionResetError:
        pass
    return received


def flood(client: socket.socket, content: bytes, times: int) -> bool:
    """Send the same content again and again; return whether the server closed the connection meanwhile."""
    try:
        for _ in range(times):
            client.sendall(content)
    except OSError:
        return True
    return False


def drip(port: int, content: bytes, seconds: float) -> float:
    """Send one byte after another, and return how many seconds the server tolerated it.

    Args:
        port: the port of the server.
        content: what to send.
        seconds: pause after each byte.
    """
    begun = time.monotonic()
    with connect(port) as client:
        client.settimeout(seconds)
        for position in range(len(content)):
            try:
                client.sendall(content[position : position + 1])
                if not client.recv(1_000):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        return time.monotonic() - begun


@contextmanager
def half_open(port: int, number: int, content: bytes = b"", source: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """Keep a number of connections open on which only the beginning of a request is sent."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port, source)) for _ in range(number)]
        for client in clients:
            try:
                client.sendall(content)
            except OSError:
                continue
        yield clients


def is_open(client: socket.socket) -> bool:
    """Return whether the server has kept a connection on which nothing was received."""
    client.setblocking(False)
    try:
        return bool(client.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False
