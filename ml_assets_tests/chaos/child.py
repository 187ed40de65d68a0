"""A run in a process of its own, forked from one that has imported everything, which may be killed at a boundary or at
any moment.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from unittest.mock import patch

from ml_assets.pipeline.engine import materialize_days as days_engine
from ml_assets.pipeline.steps.retries import ATTENDED
from ml_assets_tests.chaos.boundaries import watched
from ml_assets_tests.chaos.places import ChaosWorld, Place
from ml_assets_tests.conftest import ASSETS
from ml_assets_tests.pipeline.world import day, tags_of
from ml_assets_tests.support.forkserver import CONTEXT
from ml_assets_tests.support.plots import skip_drawing

# A run takes a few seconds; on a machine that is busy with much else, many times that.
LONGEST = 1800.0


@dataclass(frozen=True)
class Kill:
    """The moment at which a process is killed: the n-th crossing of a boundary, counted from 1, or `later` seconds
    after it, whatever the process does then.
    """

    at: str
    number: int = 1
    later: float = 0.0

    def __str__(self) -> str:
        return f"{f'{self.later * 1000:.0f} ms ' if self.later else ''}{self.at} #{self.number}"


def start(place: Place, log: Path, **options: object) -> BaseProcess:
    """Start a run over all days; see `_run` for the options."""
    process = CONTEXT.Process(target=_run, args=(place, log), kwargs=options)
    process.start()
    return process


def run(place: Place, log: Path, seconds: float = LONGEST, **options: object) -> int:
    """Run over all days; return the exit status, or the negative number of the signal that ended the process."""
    process = start(place, log, **options)
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"the run did not end within {seconds} s: {log.read_text()[-2000:]}")
    return process.exitcode


def _run(
    place: Place,
    log: Path,
    kill: Kill | None = None,
    count: Path | None = None,
    names: Sequence[str] = ASSETS,
    days: tuple[int, int] | None = None,
    together: Barrier | None = None,
) -> None:
    """Materialize assets with output to a log file; exit with 1 when the run fails.

    kill: when to die. count: a file that gets the boundaries that were crossed, one per line. days: the first and the
    last; without them all of the place. together: the run begins when all processes wait for it.
    """
    _log_to(log)
    crossed: Counter[str] = Counter()

    def cross(name: str) -> None:
        crossed[name] += 1
        if count is not None:
            with count.open("a") as file:
                file.write(f"{name}\n")
        if kill is not None and kill.at == name and kill.number == crossed[name]:
            if not kill.later:
                os.kill(os.getpid(), signal.SIGKILL)
            threading.Thread(target=_kill_later, args=(os.getpid(), kill.later), daemon=True).start()

    if kill is not None and kill.at == "start":
        threading.Thread(target=_kill_later, args=(os.getpid(), kill.later), daemon=True).start()
    # Plots are not compared.
    with (
        skip_drawing(),
        patch.object(days_engine, "DAYS_PER_COMMIT", 2),
        watched(cross),
        _clock(place.clock),
    ):
        world = ChaosWorld(place)
        if together is not None:
            together.wait(60)
        # Transient failures are retried after seconds instead of minutes.
        first, last = days or (1, place.days)
        tags = {**tags_of(day(first), day(last)), ATTENDED: "true"}
        result = world.materialize(list(names), tags, log_level="INFO")
    for event in result.all_events:
        if event.is_step_failure:
            print(
                "STEP FAILED",
                event.step_key,
                event.step_failure_data.user_failure_data,
                event.step_failure_data.error,
                flush=True,
            )
    sys.stdout.flush()
    os._exit(0 if result.success else 1)


def _kill_later(process: int, seconds: float) -> None:
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)


def _log_to(log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s %(message)s", force=True)
    logging.getLogger("ml_assets").setLevel(logging.INFO)


@contextmanager
def _clock(seconds: int) -> Iterator[None]:
    """Set the clock of this process wrong by some seconds, for the modules of ml_assets and for `time.time`."""
    if not seconds:
        yield
        return
    real, wrong = time.time, timedelta(seconds=seconds)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + wrong

    modules = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("ml_assets.") and getattr(module, "datetime", None) is datetime
    ]
    with ExitStack() as patches:
        patches.enter_context(patch("time.time", lambda: real() + seconds))
        for module in modules:
            patches.enter_context(patch.object(module, "datetime", Wrong))
        yield
