"""Capture of the output of steps, by processes that Ctrl-C in a terminal does not reach."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster import DagsterInstance


@contextmanager
def uninterrupted_log_capture(instance: "DagsterInstance") -> Iterator[None]:
    """Capture output, until the block ends, by processes that do not get SIGINT.

    Dagster copies the output of a step to the terminal with `tail`, and watches each `tail` from a Python process. A
    terminal sends SIGINT to all of them, and the watching processes print a stack trace.
    """
    manager = instance.compute_log_manager
    capture = manager.capture_logs

    @contextmanager
    def capture_logs(log_key: Sequence[str]) -> Iterator[Any]:
        with ExitStack() as stack:
            # Processes inherit the blocked signals; a signal that arrives in the block is handled when it ends.
            with _blocked_interrupts():
                context = stack.enter_context(capture(log_key))
            yield context

    manager.capture_logs = capture_logs  # type: ignore[method-assign]
    try:
        yield
    finally:
        manager.capture_logs = capture  # type: ignore[method-assign]


@contextmanager
def _blocked_interrupts() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
