"""The start of uvicorn with the limits of the service."""

import gc
import logging
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ml_assets.service.limits import Limits
from ml_assets.service.server.connections import ConnectionLimits, ConnectionTable
from ml_assets.service.server.descriptors import reserve_descriptors
from ml_assets.service.server.repeated_messages import RepeatedMessages

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

SWITCH_SECONDS = 0.0005
"""Seconds for which a thread may keep the interpreter lock while others wait. Python's default of 5 milliseconds would
be added to each response while another thread computes features or reads the history."""
KEEP_ALIVE_SECONDS = 5


def server_config(app: "Starlette", limits: Limits, host: str, port: int) -> "uvicorn.Config":
    """Return uvicorn's configuration for one process, without an access log.

    Raises:
        ValueError: when the system allows too few open files.
    """
    import uvicorn

    from ml_assets.service.uvicorn_internals.http_protocol import BoundedHttpProtocol, trusted_hosts

    capacity = reserve_descriptors(limits.connections)
    bounds = ConnectionLimits(
        total=capacity.connections,
        per_client=limits.connections_per_client,
        trusted=trusted_hosts(limits.trusted_proxies),
        head_seconds=limits.head_seconds,
        body_seconds=limits.body_seconds,
        message_bytes=2 * limits.body_bytes + 1_000_000,
        keep_alive_seconds=KEEP_ALIVE_SECONDS,
    )
    metrics = getattr(app.state, "metrics", None)
    table = ConnectionTable(bounds, metrics.record_closed if metrics else _ignore)
    if metrics:
        metrics.connections.set_function(partial(len, table))
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        # uvloop if it is installed; it has no wheels for Windows.
        loop="auto",
        http=partial(BoundedHttpProtocol, table),  # type: ignore[arg-type]
        ws="none",
        access_log=False,
        log_level="warning",
        proxy_headers=limits.trusted_proxies is not None,
        forwarded_allow_ips=limits.trusted_proxies,
        # The table displaces connections before this number is reached; it also counts connections that are being
        # closed.
        limit_concurrency=capacity.connections + capacity.backlog,
        backlog=capacity.backlog,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=30,
    )
    logging.getLogger("uvicorn.error").addFilter(RepeatedMessages(10.0))
    return config


def run_server(app: "Starlette", host: str, port: int, limits: Limits | None = None) -> None:
    """Run an application with uvicorn in this process, until SIGINT or SIGTERM.

    Raises:
        ValueError: when the system allows too few open files.
    """
    from ml_assets.service.uvicorn_internals.draining_server import DrainingServer

    config = server_config(app, limits or Limits(), host, port)
    # Exclude loaded modules from garbage collections, which shortens them and so the slowest responses.
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)
    with suppress(KeyboardInterrupt):
        DrainingServer(config).run()


def _ignore(_: str) -> None:
    """Ignore the reason, for applications without metrics."""
