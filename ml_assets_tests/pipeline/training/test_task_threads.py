"""Tasks compute in threads, and their calls are made by the thread that waits for their results."""

import threading
from collections.abc import Callable

import pytest

from ml_assets.pipeline.training.task_threads import Abandoned, TaskThreads

WAIT = 10.0


def test_calls_are_made_by_the_waiting_thread():
    threads: list[threading.Thread] = []

    def task(pool: TaskThreads) -> tuple[threading.Thread, threading.Thread]:
        pool.post(lambda: threads.append(threading.current_thread()))
        return threading.current_thread(), pool.call(threading.current_thread)

    with TaskThreads(2) as pool:
        results = [pool.wait_for(result) for result in [pool.start(task, pool) for _ in range(5)]]
    here = threading.current_thread()
    assert threads == [here] * 5
    assert [calls for _, calls in results] == [here] * 5
    assert here not in {thread for thread, _ in results}


def test_the_number_of_threads_is_bounded_and_all_are_used():
    together = threading.Barrier(2)
    with TaskThreads(2) as pool:
        results = [pool.start(lambda: (together.wait(WAIT), threading.get_ident())[1]) for _ in range(6)]
        assert len({pool.wait_for(result) for result in results}) == 2


def fail() -> None:
    raise ZeroDivisionError


def test_errors_of_tasks_and_of_their_calls_reach_the_waiting_thread():
    with TaskThreads(1) as pool:
        for task in (fail, lambda: pool.call(fail), lambda: pool.post(fail)):
            with pytest.raises(ZeroDivisionError):
                pool.wait_for(pool.start(task))
        assert pool.wait_for(pool.start(lambda: 7)) == 7


def test_a_task_can_handle_the_error_of_its_call():
    def task(pool: TaskThreads) -> str:
        try:
            pool.call(fail)
        except ZeroDivisionError:
            return "handled"
        return "not raised"

    with TaskThreads(1) as pool:
        assert pool.wait_for(pool.start(task, pool)) == "handled"


@pytest.mark.parametrize("asks", [TaskThreads.call, TaskThreads.post])
def test_closing_stops_tasks_at_their_next_call_and_starts_no_other(asks: Callable):
    ends: list[type] = []
    begun, may_go_on = threading.Event(), threading.Event()

    def task(pool: TaskThreads) -> None:
        begun.set()
        may_go_on.wait(WAIT)
        try:
            asks(pool, print)
        except BaseException as error:
            ends.append(type(error))

    with TaskThreads(1) as pool:
        first, second = pool.start(task, pool), pool.start(task, pool)
        assert begun.wait(WAIT)
        threading.Timer(0.05, may_go_on.set).start()
    assert first.done()
    assert second.cancelled()
    assert ends == [Abandoned]


def test_an_interrupt_while_a_call_is_made_ends_the_task_that_waits_for_it():
    ends: list[type] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    def task(pool: TaskThreads) -> None:
        try:
            pool.call(interrupt)
        except BaseException as error:
            ends.append(type(error))
            raise

    with pytest.raises(KeyboardInterrupt), TaskThreads(1) as pool:
        pool.wait_for(pool.start(task, pool))
    assert ends == [Abandoned]
