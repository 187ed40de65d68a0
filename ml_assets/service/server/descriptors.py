"""File descriptors: the number of connections that leaves enough of them for probes, the lake and the registry."""

import logging
import os
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger("ml_assets.service")
RESERVE = 96
"""Descriptors needed in addition to those open at the start: files and connections of lake, registry and metrics."""
MAX_BACKLOG = 2_048
MIN_CONNECTIONS = 16


class Capacity(NamedTuple):
    """connections: maximum number of open connections. backlog: further connections that may be accepted at once."""

    connections: int
    backlog: int


def reserve_descriptors(connections: int) -> Capacity:
    """Raise the limit of open files of this process if it is too low for the connections, and return the possible
    number.

    Raises:
        ValueError: when the limit allows too few connections.
    """
    # Not on Windows, where the service is not supported.
    import resource

    needed = count_open() + RESERVE + connections + MAX_BACKLOG
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < needed:
        raised = needed if hard == unlimited else min(needed, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
        except (ValueError, OSError):
            # A sandbox may forbid it; then the limit is not changed.
            pass
    capacity = divide(connections, needed if soft == unlimited else soft, count_open())
    if capacity.connections < connections:
        log.warning(
            "the limit of open files, %s, allows %s connections instead of %s; raise it (ulimit -n), or lower "
            "--max-connections",
            f"{soft:,}",
            f"{capacity.connections:,}",
            f"{connections:,}",
        )
    return capacity


def divide(connections: int, limit: int, already_open: int) -> Capacity:
    """Divide the descriptors of a process.

    Args:
        connections: wanted number of connections.
        limit: maximum number of open files.
        already_open: number of currently open files.

    Raises:
        ValueError: when too few remain for connections.
    """
    free = limit - already_open - RESERVE
    backlog = min(MAX_BACKLOG, free // 4)
    if free - backlog < MIN_CONNECTIONS:
        raise ValueError(
            f"the limit of open files is {limit:,}, of which {already_open + RESERVE:,} are needed for other files; "
            f"raise it (ulimit -n) to at least {already_open + RESERVE + 2 * MIN_CONNECTIONS:,}"
        )
    return Capacity(min(connections, free - backlog), backlog)


def count_open() -> int:
    """Return the number of open files of this process; an estimate if the system does not list them."""
    for listing in (Path("/proc/self/fd"), Path("/dev/fd")):
        if listing.is_dir():
            return len(os.listdir(listing))
    return 64
