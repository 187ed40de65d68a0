"""The progress of boosting, reported every few seconds."""

import time
from collections.abc import Callable
from dataclasses import dataclass

Curve = dict[str, list[float]]
"""Values of each metric of the validation part, one for each round; empty without a validation part."""

SECONDS_BETWEEN = 5.0


@dataclass(frozen=True)
class Progress:
    """The progress of one phase of boosting.

    phase: `early_stopping` or `refit`. round: number of completed rounds. rounds: maximum number of rounds. curve:
    metrics of all rounds so far. rows_per_second: rows times rounds per second since the last report. seconds_left:
    time for the maximum number of remaining rounds, at the average pace so far.
    """

    phase: str
    round: int
    rounds: int
    curve: Curve
    rows_per_second: float
    seconds_left: float

    def line(self) -> str:
        """Format the progress as a line for a log."""
        metrics = "".join(f", {name} {values[-1]:.4f}" for name, values in self.curve.items())
        pace = f"{self.rows_per_second:,.0f} rows/s, at most {_time(self.seconds_left)} left"
        return f"{self.phase}: round {self.round} of at most {self.rounds}{metrics}, {pace}"


Tell = Callable[[Progress], None]


class Pace:
    """Reports rounds at most every SECONDS_BETWEEN seconds; the first report comes that long after the start, so short
    training reports nothing.

    Args:
        tell: receives the progress.
        phase, rounds: see `Progress`.
        rows: number of rows of each round.
        begun: number of rounds that were already completed.
        clock: monotonic clock, in seconds.
    """

    def __init__(
        self,
        tell: Tell,
        phase: str,
        rounds: int,
        rows: int,
        begun: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._tell = tell
        self._phase = phase
        self._rounds = rounds
        self._rows = rows
        self._clock = clock
        self._begun = begun
        self._begun_at = clock()
        self._has_reported = False
        self._reported = begun
        self._reported_at = self._begun_at

    def round(self, done: int, curve: Callable[[], Curve], last: bool = False) -> None:
        """Report that `done` rounds are complete; the last round is reported if an earlier one was.

        Args:
            done: number of completed rounds.
            curve: returns the metrics of all of them; called only for a report.
            last: whether training is complete.
        """
        seconds = self._clock() - self._reported_at
        if done <= self._reported or not (seconds >= SECONDS_BETWEEN or (last and self._has_reported)):
            return
        seconds_per_round = max(seconds, 1e-9) / (done - self._reported)
        now = self._reported_at + seconds
        # The average of all rounds, because a single one may have waited for a slow checkpoint.
        left = 0.0 if last else (self._rounds - done) * (now - self._begun_at) / (done - self._begun)
        self._reported_at = now
        self._reported = done
        self._has_reported = True
        self._tell(Progress(self._phase, done, self._rounds, curve(), self._rows / seconds_per_round, left))


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
