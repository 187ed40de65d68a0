"""Progress of the stages: bars in a terminal, a line for each stage elsewhere."""

import logging
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ml_assets.core.counts import count


class StageProgress(logging.Handler):
    """Progress of the stages, from the engine's log of finished days and other notices; a context manager."""

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

    def expect(self, stages: Sequence[str], days: int) -> None:
        """Announce the next stages and the number of days of each."""
        self._expected |= dict.fromkeys(stages, days)

    def emit(self, record: logging.LogRecord) -> None:
        """Count a finished day, or print a notice, for example that a stage waits before its next attempt."""
        if notice := getattr(record, "notice", None):
            self._console.print(f"[yellow]{escape(notice)}[/]", soft_wrap=True)
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
            self._console.print(f"{stage:>22}: {count(self._computed[stage], 'day')} computed, {unchanged} unchanged")

    def stop(self) -> None:
        """End the bars before something else is printed; without them, rich would print an empty line."""
        if self._console.is_terminal:
            self._bars.stop()

    def __enter__(self) -> "StageProgress":
        logging.getLogger("ml_assets.days").addHandler(self)
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("ml_assets.days").removeHandler(self)
        self.stop()
