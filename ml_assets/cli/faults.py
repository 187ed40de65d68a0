"""Faults of a command: damaged state and interruptions end in one sentence and the exit status that shells expect."""

import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

import click

from ml_assets.cli.command_path import spell_commands
from ml_assets.cli.verb import publish_failure

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Verbs that continue their work when they are run again after an interruption.
CONTINUED = ("run", "repair", "restore", "simulate")
RELEASED = ("rollback", "pause", "resume", "canary", "promote", "releases")
SERVICES = ("serve", "mlflow", "ui")
# The verb that lets the runs that it started finish.
LAUNCHER = "ui"
ARGUMENTS = "ml_assets.arguments"
# Warnings of ml_assets.core.model_spec are for the author of a specification.
LIBRARIES = r"(?!ml_assets\.core\.model_spec)"
_received: list[signal.Signals] = []
_pipe: list[int] = []


class Interrupted(KeyboardInterrupt):
    """The process got SIGINT or SIGTERM."""


class ReportingGroup(click.Group):
    """A command group whose commands end with a sentence instead of a stack trace when state is damaged or they are
    interrupted.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments, for the message that says how to continue after an interruption."""
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command.

        Raises:
            SystemExit: with status 130 after SIGINT and 143 after SIGTERM, or 0 from a service, which was told to end;
                with status 1 and a message when the reason of a failure is damaged state, or the message of the failure
                says what to do.
        """
        spell_commands(ctx.meta[ARGUMENTS])
        hide_library_warnings()
        listen_to_signals()
        hide_interrupted_callbacks()
        try:
            return self._invoke_with_sentences(ctx)
        except SystemExit as error:
            publish_failure(error)
            raise

    def _invoke_with_sentences(self, ctx: click.Context) -> Any:
        arguments = ctx.meta[ARGUMENTS]
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, SystemExit) as error:
            if not received_signals() and not isinstance(error, KeyboardInterrupt):
                raise
            exit_interrupted(arguments)
        except BaseException as error:
            if received_signals() and type(error).__name__ == "DagsterExecutionInterruptedError":
                exit_interrupted(arguments)
            if isinstance(error, Exception) and not isinstance(error, click.ClickException | click.exceptions.Exit):
                exit_with_stated_fault(error)
            raise


def hide_library_warnings() -> None:
    """Keep warnings for developers of libraries out of a terminal, and print each warning about a specification once,
    as a sentence; `python -W` and PYTHONWARNINGS show all of them, with their places in the source.
    """
    if not sys.warnoptions:
        warnings.filterwarnings("ignore", module=LIBRARIES)
        warnings.showwarning = partial(_print_once, set())


def _print_once(printed: set[str], message: Warning | str, *_: Any, **__: Any) -> None:
    # Python forgets what it has shown when a library changes the filters.
    if (text := str(message)) not in printed:
        printed.add(text)
        print(f"warning: {text}", file=sys.stderr)


def hide_interrupted_callbacks() -> None:
    """Print no stack trace where a signal arrives in a callback of the garbage collector: Python ignores the exception,
    and the command ends at its next `check_interrupted`.
    """
    show = sys.unraisablehook
    if getattr(show, "func", None) is not _show_unraisable:
        sys.unraisablehook = partial(_show_unraisable, show)


def _show_unraisable(show: Callable[[Any], Any], unraisable: "sys.UnraisableHookArgs") -> None:
    if issubclass(unraisable.exc_type, Exception) or not received_signals():
        show(unraisable)


def listen_to_signals() -> None:
    """Let SIGINT and SIGTERM raise Interrupted, and remember them: Dagster replaces the handlers during a run, and a
    library may swallow the exception. A SIGINT that the parent process ignores stays ignored.
    """
    _received.clear()
    if threading.current_thread() is not threading.main_thread():
        return
    # C code writes each signal to this pipe, whatever handlers Python has. Before Python 3.12, Windows has no
    # non-blocking pipes.
    if not _pipe and hasattr(os, "set_blocking"):
        _pipe.extend(os.pipe())
        for end in _pipe:
            os.set_blocking(end, False)
    if _pipe:
        signal.set_wakeup_fd(_pipe[1], warn_on_full_buffer=False)
    for signal_number in SIGNALS:
        if signal.getsignal(signal_number) in (signal.default_int_handler, signal.SIG_DFL, _raise_interrupted):
            signal.signal(signal_number, _raise_interrupted)


def received_signals() -> list[signal.Signals]:
    """Return the signals that the process got, the first one first."""
    with suppress(BlockingIOError):
        numbers = os.read(_pipe[0], 64) if _pipe else b""
        _received.extend(signal.Signals(number) for number in numbers if number in SIGNALS)
    return _received


def check_interrupted() -> None:
    """Raise Interrupted if the process got a signal that nothing has handled yet.

    Raises:
        Interrupted: when it did.
    """
    if received_signals():
        raise Interrupted


def exit_interrupted(arguments: Sequence[str]) -> None:
    """End with a sentence that says what stays and how to go on.

    Args:
        arguments: the arguments of the command.

    Raises:
        SystemExit: with status 130 after SIGINT, 143 after SIGTERM; with 0 from a service, which was told to end.
    """
    for signal_number in SIGNALS:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal_number, signal.SIG_IGN)
    signals = received_signals()
    received = signals[0] if signals else signal.SIGINT
    sentence = describe_interruption(received, arguments)
    print(f"\n{sentence}", file=sys.stderr)
    error = SystemExit(0 if _verb(arguments) in SERVICES else 128 + received)
    error.add_note(sentence)
    raise error


def describe_interruption(received: signal.Signals, arguments: Sequence[str]) -> str:
    """Write the sentence about an interruption.

    Args:
        received: the signal.
        arguments: the arguments of the command.
    """
    words = _without_project(arguments)
    verb, model = next(iter(words), ""), next(iter(words[1:]), "-")
    command = f"`{shlex.join(['ml-assets', *arguments])}`"
    by = f"Interrupted ({received.name})"
    if verb == LAUNCHER:
        return (
            f"{by}: Dagster has ended, and {command} starts it again, with the runs in the queue. A run in progress "
            f"goes on to its end."
        )
    if verb in SERVICES:
        return f"{by}: the service has ended, and {command} starts it again."
    if verb in RELEASED:
        command = shlex.join(["ml-assets", "releases", *([] if model.startswith("-") else [model])])
        return f"{by}: a release that was committed stays; `{command}` completes and prints it."
    if verb in CONTINUED:
        return f"{by}: what was committed stays, and nothing is half-written; {command} goes on from there."
    return f"{by}: nothing was changed; {command} starts again."


def _without_project(arguments: Sequence[str]) -> list[str]:
    """Return the arguments from the verb on: the options before it have no effect on what is kept."""
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] == "--project" else rest[1:]
    return rest


def exit_with_stated_fault(error: Exception) -> None:
    """End with the message of a failure if damaged state or an external system caused it, or if the message says what
    to do; else return.

    Raises:
        SystemExit: with the message.
    """
    from ml_assets.core.operations.failures.classification import Failure, cause_of, classify
    from ml_assets.core.operations.failures.damaged_state import DamagedState
    from ml_assets.defs.environment import load_settings
    from ml_assets.resources.databases.uri_secrets import scrub, without_credentials
    from ml_assets.resources.mlflow.errors import MlflowUnavailable
    from ml_assets.resources.probes.state_probe import explain_database_error

    if isinstance(error, DamagedState | MlflowUnavailable) or classify(error) is Failure.STATED:
        sys.exit(str(error))
    settings = load_settings()
    if damage := explain_database_error(error, settings.dagster_home, settings.mlflow):
        sys.exit(str(damage))
    if type(error).__module__ == "mlflow.exceptions" and (
        type(error).__name__ == "RestException" or str(error).startswith("API request to ")
    ):
        server = without_credentials(settings.mlflow)
        sys.exit(f"MLflow at {server} failed: {scrub(str(error), settings.mlflow)}. `ml-assets doctor` examines it")
    remedies = {
        Failure.REFUSED: "Check address, credentials, permissions and free space",
        Failure.TRANSIENT: "Try it again",
    }
    if remedy := remedies.get(classify(error)):
        cause = scrub(cause_of(error), settings.database, settings.mlflow)
        sys.exit(f"{cause}. {remedy}; `ml-assets doctor` examines landing, lake, MLflow and DAGSTER_HOME")


def _verb(arguments: Sequence[str]) -> str:
    return next(iter(_without_project(arguments)), "")


def _raise_interrupted(number: int, _: FrameType | None) -> None:
    # An event loop takes the descriptor for itself, and may not give it back.
    _received.append(signal.Signals(number))
    raise Interrupted
