"""Signals that a command gets in the process of a test."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ml_assets.cli import faults
from ml_assets_tests.cli.command_line import call


@contextmanager
def kept_handlers() -> Iterator[None]:
    """Restore the handlers of signals at the end: a command that is interrupted ignores further signals."""
    handlers = {number: signal.getsignal(number) for number in faults.SIGNALS}
    for number in faults.SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        faults.received_signals().clear()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def accept_signals() -> None:
    """Let this process be interrupted, before it becomes a command: a background shell ignores SIGINT, and a parent may
    ignore SIGTERM, which its children inherit.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def interrupt(*_: object, **__: object) -> None:
    """Send SIGTERM to this process, in place of any function."""
    signal.raise_signal(signal.SIGTERM)


def call_interrupted(*arguments: str) -> object:
    """Run a verb that gets a signal; return its exit status."""
    with kept_handlers(), pytest.raises(SystemExit) as ended:
        call(*arguments)
    return ended.value.code
