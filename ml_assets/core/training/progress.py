"""How far boosting has come, told every few seconds while it goes on."""

import time
from collections.abc import Callable
from dataclasses import dataclass

Curve = dict[str, list[float]]
"""Values of each metric of the validation part, one for each round; empty where nothing is watched."""

SECONDS_BETWEEN = 5.0


@dataclass(frozen=True)
class Progress:
    """How far one phase of boosting has come.

    phase: `early_stopping` or `refit`. round: rounds done. rounds: the most that it will take. curve: metrics of all
    rounds so far. rows_per_second: rows times rounds in a second, since the last report. seconds_left: for all rounds
    that may be left, at the pace of all rounds so far.
    """

    phase: str
    round: int
    rounds: int
    curve: Curve
    rows_per_second: float
    seconds_left: float

    def line(self) -> str:
        """The progress as a line for a log."""
        metrics = "".join(f", {name} {values[-1]:.4f}" for name, values in self.curve.items())
        pace = f"{self.rows_per_second:,.0f} rows/s, at most {_time(self.seconds_left)} left"
        return f"{self.phase}: round {self.round} of at most {self.rounds}{metrics}, {pace}"


Tell = Callable[[Progress], None]


class Pace:
    """Tells of rounds at most every SECONDS_BETWEEN seconds, for the first time that long after it was made: short
    training says nothing.

    Args:
        tell: is given the progress.
        phase, rounds: see `Progress`.
        rows: rows that each round sees.
        begun: rounds that were done before.
        clock: seconds that never go back.
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
        self._tell, self._phase, self._rounds, self._rows, self._clock = tell, phase, rounds, rows, clock
        self._begun_at, self._begun, self._has_told = clock(), begun, False
        self._told_at, self._told = self._begun_at, begun

    def round(self, done: int, curve: Curve, last: bool = False) -> None:
        """`done` rounds are done; the last one is told of whenever an earlier one was."""
        seconds = self._clock() - self._told_at
        if done <= self._told or not (seconds >= SECONDS_BETWEEN or (last and self._has_told)):
            return
        a_round = max(seconds, 1e-9) / (done - self._told)
        # Of all rounds: a single one may have waited for a slow checkpoint.
        left = (
            0.0 if last else (self._rounds - done) * (self._told_at + seconds - self._begun_at) / (done - self._begun)
        )
        self._told_at, self._told, self._has_told = self._told_at + seconds, done, True
        self._tell(Progress(self._phase, done, self._rounds, curve, self._rows / a_round, left))


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
