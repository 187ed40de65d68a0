"""Runs that began the days of a stage and did not end them: noted in the lake, so that the next run says so, and
completes what they left undone.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date

from ml_assets.resources.lake.lake import Lake


class RunMarkers:
    """Notes of the runs that are at some days of a stage, at `<model>/unfinished_runs/<stage>/<run>.json`.

    Each is put there when a run begins, and removed when it has ended everything. One that is there when another run
    begins is of a run that was killed or failed, or is still going on.
    """

    def __init__(self, lake: Lake, model: str, stage: str):
        # Says what is wrong with a lake that cannot be used.
        lake.location(model, stage)
        self._files, self._root = lake.files, f"{model}/unfinished_runs/{stage}/"

    def begin(self, run_id: str, days: Sequence[date]) -> dict[str, list[date]]:
        """Note that a run is at some days, which are its own from here on; returns those of them that runs before did
        not end, by run.

        One of these may be an earlier attempt of this run.
        """
        noted, mine = self._noted(), set(days)
        self._note(run_id, mine | set(noted.get(run_id, [])))
        for other in noted.keys() - {run_id}:
            if rest := set(noted[other]) - mine:
                self._note(other, rest)
            else:
                self.end(other)
        return {other: both for other, theirs in noted.items() if (both := sorted(mine & set(theirs)))}

    def end(self, run_id: str) -> None:
        """A run has ended everything."""
        self._files.delete(self._key(run_id))

    def days(self) -> set[date]:
        """The days that runs did not end, or are at."""
        return {day for theirs in self._noted().values() for day in theirs}

    def _noted(self) -> dict[str, list[date]]:
        found = {}
        for key in list(self._files.keys(self._root)):
            # It may have ended meanwhile.
            with suppress(FileNotFoundError):
                note = json.loads(self._files.read(key))
                found[key.removeprefix(self._root).removesuffix(".json")] = [
                    date.fromisoformat(day) for day in note["days"]
                ]
        return found

    def _note(self, run_id: str, days: Iterable[date]) -> None:
        self._files.write(self._key(run_id), json.dumps({"days": sorted(map(str, days))}).encode())

    def _key(self, run_id: str) -> str:
        return f"{self._root}{run_id}.json"


def log_unfinished_runs(log: logging.Logger, stage: str, run_id: str, left: Mapping[str, Sequence[date]]) -> None:
    """Say of which days a run did not end, and what becomes of them."""
    for other, days in left.items():
        which = str(days[0]) if len(days) == 1 else f"{len(days)} days from {days[0]} to {days[-1]}"
        who = "an earlier attempt of this run" if other == run_id else f"run {other}"
        log.warning(
            f"{stage}: {who} began {which} and did not end: it was killed or failed, or it is still going on. "
            "What it has committed is kept; this run makes what is missing."
        )
