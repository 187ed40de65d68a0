import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException

import pytest
import uvicorn

from ml_assets.service.uvicorn_internals.draining_server import DrainingServer
from ml_assets_tests.support.http_server import free_port

KEEP_ALIVE_SECONDS = 1


async def greet(scope: dict, receive, send) -> None:
    """Answer any request, as an ASGI application."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@contextmanager
def idle_client() -> Iterator[tuple[DrainingServer, threading.Thread, HTTPConnection]]:
    """Run a server and connect a client that has had one response."""
    port = free_port()
    config = uvicorn.Config(
        greet,
        port=port,
        http="httptools",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
    )
    server = DrainingServer(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        assert request(connection) == (200, None)
        yield server, thread, connection
    thread.join(10)
    assert not thread.is_alive()


def request(connection: HTTPConnection) -> tuple[int, str | None]:
    connection.request("POST", "/", body=b"{}")
    response = connection.getresponse()
    response.read()
    return response.status, response.getheader("Connection")


def test_a_request_after_sigterm_is_answered_and_closes_its_connection():
    with idle_client() as (server, thread, connection):
        server.handle_exit(signal.SIGTERM, None)
        # The server looks at signals ten times a second.
        time.sleep(0.3)
        assert request(connection) == (200, "close")
        thread.join(0.5)
        assert not thread.is_alive()


def test_a_client_that_stays_idle_delays_the_end_by_the_time_that_connections_are_kept():
    with idle_client() as (server, thread, _):
        server.handle_exit(signal.SIGTERM, None)
        thread.join(KEEP_ALIVE_SECONDS + 2)
        assert not thread.is_alive()


def test_sigint_ends_the_server_at_once():
    with idle_client() as (server, _, connection):
        server.handle_exit(signal.SIGINT, None)
        time.sleep(0.3)
        connection.auto_open = False
        with pytest.raises((HTTPException, OSError)):
            request(connection)
