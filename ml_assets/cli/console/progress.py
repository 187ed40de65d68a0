"""Progress of the stages while they work: bars in a terminal, a line a stage elsewhere."""

import logging
import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class StageProgress(logging.Handler):
    """Follows the engine's log of finished days, and of what else is to be told; a context manager."""

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:>22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._expected: dict[str, int] = {}
        self._computed: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._begun = time.perf_counter()

    def expect(self, stages: Sequence[str], days: int) -> None:
        """The next stages, and how many days each will make."""
        self._expected |= dict.fromkeys(stages, days)
        self._begun = time.perf_counter()

    def emit(self, record: logging.LogRecord) -> None:
        """One day of a stage is done, or there is something to tell, such as that a stage waits before it is tried
        again.
        """
        if told := getattr(record, "told", None):
            self._console.print(f"[yellow]{escape(told)}[/]", soft_wrap=True)
        outcome, stage = getattr(record, "outcome", None), getattr(record, "stage", "")
        if outcome is None or stage not in self._expected:
            return
        self._done[stage] = self._done.get(stage, 0) + 1
        self._computed[stage] = self._computed.get(stage, 0) + outcome.computed
        if self._console.is_terminal:
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(stage, total=self._expected[stage])
            self._bars.advance(self._tasks[stage])
        elif self._done[stage] == self._expected[stage]:
            unchanged = self._done[stage] - self._computed[stage]
            took = time.perf_counter() - self._begun
            self._begun = time.perf_counter()
            self._console.print(
                f"{stage:>22}: {self._computed[stage]} days computed, {unchanged} unchanged, {took:.1f} s"
            )

    def stop(self) -> None:
        """Take the bars away, for what is printed next."""
        self._bars.stop()

    def __enter__(self) -> "StageProgress":
        logging.getLogger("ml_assets.days").addHandler(self)
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("ml_assets.days").removeHandler(self)
        self.stop()
