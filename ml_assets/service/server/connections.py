"""The table of open connections, which limits their number, displaces waiting ones and ends late ones."""

import asyncio
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ml_assets.service.clients import client_name


class Stage(Enum):
    """The stage of a connection. In the first three the server waits for the client, so the connection can be
    displaced."""

    NEW = "no request has arrived yet"
    BODY = "a request is arriving"
    IDLE = "between two requests"
    WORKING = "a request is being answered"


WAITING = (Stage.NEW, Stage.BODY, Stage.IDLE)
TOLERATED_DELAY_SECONDS = 0.1
"""Seconds of delay of this process beyond which deadlines are extended."""


class Connection(Protocol):
    """The interface of a connection for the table. deadline: event loop time at which it is late; infinite while a
    request is being answered.
    """

    deadline: float

    def end(self, reason: str) -> None:
        """Close the connection; `reason` is a label value of `ml_assets_closed_connections_total`."""


@dataclass(frozen=True)
class ConnectionLimits:
    """Bounds of connections, and their deadlines in seconds.

    total, per_client: maximum number of open connections. trusted: addresses of proxies, to which only `total` applies.
    head_seconds: from the opening of a connection, or the end of the keep-alive time, to the end of a request's head.
    body_seconds: from the head to the end of the body. keep_alive_seconds: idle time between two requests. head_bytes,
    message_bytes: size of a head, and of a request as transferred. pipelined: requests that may wait behind the one
    being answered.
    """

    total: int
    per_client: int
    head_seconds: float
    body_seconds: float
    message_bytes: int
    trusted: Container[str] = ()
    keep_alive_seconds: int = 5
    head_bytes: int = 65_536
    pipelined: int = 16


class _Stages:
    """Connections by stage, ordered by the time since they entered it."""

    def __init__(self) -> None:
        self._by_stage: dict[Stage, dict[Connection, None]] = {stage: {} for stage in Stage}

    def __len__(self) -> int:
        return sum(map(len, self._by_stage.values()))

    def add(self, connection: Connection, stage: Stage) -> None:
        self._by_stage[stage][connection] = None

    def remove(self, connection: Connection, stage: Stage) -> None:
        del self._by_stage[stage][connection]

    def longest_waiting(self) -> Connection | None:
        for stage in WAITING:
            if connections := self._by_stage[stage]:
                return next(iter(connections))
        return None

    def waiting(self) -> Iterator[Connection]:
        for connections in self._by_stage.values():
            yield from list(connections)


class ConnectionTable:
    """The open connections of one server. A connection above the limit replaces the one that has waited longest for its
    client, as in nginx, so clients that open connections and send nothing displace each other.
    """

    def __init__(self, limits: ConnectionLimits, record_closed: Callable[[str], None]) -> None:
        self.limits = limits
        self.record_closed = record_closed
        self._all = _Stages()
        self._by_client: dict[str, _Stages] = {}
        self._places: dict[Connection, tuple[str, Stage]] = {}
        self._is_sweeping = False
        self._sweep_time = 0.0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, connection: Connection, address: str) -> bool:
        """Add a new connection from an address; return whether there is room for it.

        If there is none, all other connections (of this client, or of all clients) are being answered.
        """
        client, limits = client_name(address), self.limits
        own = self._by_client.get(client)
        if own is not None and len(own) >= limits.per_client and address not in limits.trusted:
            if not self._displace(own, "too_many_of_client"):
                return False
        elif len(self._places) >= limits.total and not self._displace(self._all, "too_many"):
            return False
        self._places[connection] = client, Stage.NEW
        self._all.add(connection, Stage.NEW)
        self._by_client.setdefault(client, _Stages()).add(connection, Stage.NEW)
        self._sweep_later()
        return True

    def move(self, connection: Connection, stage: Stage) -> None:
        """Record that a connection is now in another stage; no effect after it was removed."""
        if connection not in self._places:
            return
        client, before = self._places[connection]
        for stages in (self._all, self._by_client[client]):
            stages.remove(connection, before)
            stages.add(connection, stage)
        self._places[connection] = client, stage

    def remove(self, connection: Connection) -> None:
        """Remove a connection that has ended."""
        if connection not in self._places:
            return
        client, stage = self._places.pop(connection)
        self._all.remove(connection, stage)
        own = self._by_client[client]
        own.remove(connection, stage)
        if not len(own):
            del self._by_client[client]

    def end_late(self, now: float) -> None:
        """End the connections whose deadline has passed.

        Args:
            now: time of the event loop.
        """
        for connection in self._all.waiting():
            if connection.deadline <= now:
                connection.end("deadline")

    def _displace(self, stages: _Stages, reason: str) -> bool:
        connection = stages.longest_waiting()
        if connection is None:
            return False
        self.remove(connection)
        connection.end(reason)
        return True

    def _sweep_later(self) -> None:
        if not self._is_sweeping:
            self._is_sweeping = True
            shortest = min(self.limits.head_seconds, self.limits.body_seconds)
            loop = asyncio.get_running_loop()
            self._sweep_time = loop.time() + min(0.5, shortest / 4)
            loop.call_at(self._sweep_time, self._sweep)

    def _sweep(self) -> None:
        self._is_sweeping = False
        now = asyncio.get_running_loop().time()
        # While this process was not scheduled, on a busy node, it could not read what clients had sent.
        delay = now - self._sweep_time
        if delay > TOLERATED_DELAY_SECONDS:
            for connection in self._all.waiting():
                connection.deadline += delay
        self.end_late(now)
        if self._places:
            self._sweep_later()
