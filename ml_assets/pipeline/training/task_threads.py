"""Threads that compute tasks side by side, while all that these read, write and report happens in the thread that waits
for their results.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, Self, TypeVar

ResultT = TypeVar("ResultT")


class Abandoned(BaseException):
    """Nobody waits for the result of a task any more.

    It is no `Exception`, so that no handler of failed calls lets the task go on.
    """


class TaskThreads:
    """A number of threads for tasks, opened by the thread that waits for results; it makes the calls of the tasks while
    it waits, because tables, the log of a run and MLflow belong to one thread.

    Args:
        threads: the number of threads.
    """

    def __init__(self, threads: int):
        self._pool = ThreadPoolExecutor(threads, "task")
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._unanswered: set[Future] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop the tasks at their next call, start no other, and wait until the threads have ended."""
        with self._lock:
            self._is_closed = True
            unanswered = [answer for answer in self._unanswered if not answer.done()]
        for answer in unanswered:
            answer.set_exception(Abandoned())
        self._pool.shutdown(wait=True, cancel_futures=True)

    def start(self, task: Callable[..., ResultT], *arguments: Any) -> Future[ResultT]:
        """Start a task as soon as a thread is free."""
        return self._pool.submit(task, *arguments)

    def wait_for(self, result: Future[ResultT]) -> ResultT:
        """Return the result of a task, or raise its error, after all calls that it made.

        Raises:
            Exception: of a call that a task made with `post`.
        """
        result.add_done_callback(lambda _: self._calls.put(_wake_up))
        while not (result.done() and self._calls.empty()):
            self._calls.get()()
        return result.result()

    def call(self, function: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """In a task: return the result of a call that the waiting thread makes, or raise its error.

        Raises:
            Abandoned: when the threads are closed.
        """
        answer: Future[ResultT] = Future()
        with self._lock:
            self._check_open()
            self._unanswered.add(answer)
            self._calls.put(partial(_answer, answer, function, arguments))
        try:
            return answer.result()
        finally:
            with self._lock:
                self._unanswered.discard(answer)

    def post(self, function: Callable[..., object], *arguments: Any) -> None:
        """In a task: let the waiting thread make a call, and go on at once.

        Raises:
            Abandoned: when the threads are closed.
        """
        with self._lock:
            self._check_open()
            self._calls.put(partial(function, *arguments))

    def _check_open(self) -> None:
        if self._is_closed:
            raise Abandoned


def _answer(answer: Future, function: Callable, arguments: tuple) -> None:
    try:
        result = function(*arguments)
    except Exception as error:
        answer.set_exception(error)
    else:
        answer.set_result(result)


def _wake_up() -> None:
    """Do nothing; the thread that waits looks at the result again."""
