"""Threads that compute tasks concurrently, while all reads, writes and reports happen in the thread that waits for the
results.
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

    It is not an `Exception`, so that no handler of failed calls lets the task continue.
    """


class TaskThreads:
    """A pool of threads for tasks. The thread that opens it waits for results and meanwhile makes the calls that tasks
    request, because tables, the log of a run and MLflow belong to one thread.

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
        """Stop the tasks at their next call, start no others, and wait until the threads have ended."""
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
        """Return the result of a task, or raise its error, after making all calls that it requested.

        Raises:
            Exception: the error of a call that a task requested with `post`.
        """
        result.add_done_callback(lambda _: self._calls.put(_wake_up))
        while not (result.done() and self._calls.empty()):
            self._calls.get()()
        return result.result()

    def call(self, function: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """Call a function in the waiting thread, and return its result or raise its error; for use within a task.

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
        """Request a call in the waiting thread without waiting for it; for use within a task.

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
    """Do nothing, so that the waiting thread checks its result again."""
