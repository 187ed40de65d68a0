"""The table of connections: which one makes room, and which one is late."""

import asyncio
import math
import time

import pytest

from ml_assets.service.server.connections import ConnectionLimits, ConnectionTable, Stage


class FakeConnection:
    def __init__(self) -> None:
        self.deadline = math.inf
        self.reasons: list[str] = []

    def end(self, reason: str) -> None:
        self.reasons.append(reason)


def table_of(total: int, per_client: int, trusted: tuple = (), head_seconds: float = 5) -> ConnectionTable:
    limits = ConnectionLimits(total, per_client, head_seconds, 10, 1_000, trusted)
    return ConnectionTable(limits, lambda _: None)


def run(test) -> None:
    async def within_loop() -> None:
        test()

    asyncio.run(within_loop())


def test_the_connection_that_waited_longest_makes_room():
    def test() -> None:
        table, connections = table_of(3, 3), [FakeConnection() for _ in range(5)]
        for connection in connections[:3]:
            assert table.add(connection, "a")
        # The first is being answered, so the second makes room; then the fourth, since it never sent a request.
        table.move(connections[0], Stage.WORKING)
        assert table.add(connections[3], "b")
        table.move(connections[2], Stage.IDLE)
        assert table.add(connections[4], "c")
        assert [connection.reasons for connection in connections] == [[], ["too_many"], [], ["too_many"], []]
        assert len(table) == 3

    run(test)


def test_there_is_no_room_while_all_are_being_answered():
    def test() -> None:
        table, connections = table_of(2, 2), [FakeConnection() for _ in range(3)]
        for connection in connections[:2]:
            table.add(connection, "a")
            table.move(connection, Stage.WORKING)
        assert not table.add(connections[2], "b")
        table.remove(connections[0])
        assert table.add(connections[2], "b")

    run(test)


def test_a_client_displaces_its_own_connections_only_and_a_trusted_proxy_none():
    def test() -> None:
        table = table_of(10, 1, trusted=("proxy",))
        first, second, third = FakeConnection(), FakeConnection(), FakeConnection()
        for connection, client in [(first, "a"), (second, "b"), (third, "a")]:
            assert table.add(connection, client)
        assert (first.reasons, second.reasons) == (["too_many_of_client"], [])
        own = [FakeConnection() for _ in range(5)]
        assert all(table.add(connection, "proxy") for connection in own)
        assert not any(connection.reasons for connection in own)

    run(test)


def test_late_connections_are_ended():
    def test() -> None:
        table, late, early = table_of(9, 9), FakeConnection(), FakeConnection()
        for connection, deadline in [(late, 1.0), (early, 3.0)]:
            table.add(connection, "a")
            connection.deadline = deadline
        table.end_late(2.0)
        assert (late.reasons, early.reasons) == (["deadline"], [])

    run(test)


@pytest.mark.parametrize(("stall", "is_ended"), [(0.0, True), (0.5, False)])
def test_the_time_in_which_the_process_did_not_run_is_not_that_of_its_clients(stall, is_ended):
    async def test() -> None:
        table, connection = table_of(1, 1, head_seconds=0.2), FakeConnection()
        table.add(connection, "a")
        connection.deadline = asyncio.get_running_loop().time() + 0.1
        time.sleep(stall)
        await asyncio.sleep(0.01 if stall else 0.2)
        assert bool(connection.reasons) == is_ended
        await asyncio.sleep(0.2)
        assert connection.reasons

    asyncio.run(test())
