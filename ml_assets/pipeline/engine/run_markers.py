"""Markers in the lake for runs that are working on days of a stage, so that the next run completes the work of a dead
run.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date

from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.run_marker import UNFINISHED_RUNS, read_marker


class RunMarkers:
    """The runs that are working on days of a stage, one file each at `<model>/unfinished_runs/<stage>/<run>.json`.

    A run writes its marker when it begins and removes it when everything is done. A marker that another run finds
    belongs to a run that was killed, has failed, or is still going on.
    """

    def __init__(self, lake: Lake, model: str, stage: str):
        # Raises a clear error if the lake cannot be used.
        lake.location(model, stage)
        self._files = lake.files
        self._uri = lake.uri
        self._root = f"{model}/{UNFINISHED_RUNS}/{stage}/"

    def begin(self, run_id: str, days: Sequence[date]) -> dict[str, list[date]]:
        """Write the marker of a run, and take over its days from the markers of other runs.

        Args:
            run_id: the run that begins.
            days: its days.

        Returns:
            The days of this run that earlier runs have not finished, by run; one of the runs may be an earlier attempt
            of this run.
        """
        days_by_run, own_days = self._read(), set(days)
        self._write(run_id, own_days | set(days_by_run.get(run_id, [])))
        for other in days_by_run.keys() - {run_id}:
            if remaining := set(days_by_run[other]) - own_days:
                self._write(other, remaining)
            else:
                self.end(other)
        return {
            run: shared for run, run_days in days_by_run.items() if (shared := sorted(own_days.intersection(run_days)))
        }

    def end(self, run_id: str) -> None:
        """Remove the marker of a run that has finished everything."""
        self._files.delete(self._key(run_id))

    def unfinished_days(self) -> set[date]:
        """Return the days that runs have not finished or are working on."""
        return {day for run_days in self._read().values() for day in run_days}

    def _read(self) -> dict[str, list[date]]:
        days_by_run = {}
        for key in list(self._files.keys(self._root)):
            # The run may have ended since the listing.
            with suppress(FileNotFoundError):
                days_by_run[key.removeprefix(self._root).removesuffix(".json")] = read_marker(
                    self._files, self._uri, key
                )
        return days_by_run

    def _write(self, run_id: str, days: Iterable[date]) -> None:
        self._files.write(self._key(run_id), json.dumps({"days": sorted(map(str, days))}).encode())

    def _key(self, run_id: str) -> str:
        return f"{self._root}{run_id}.json"


def log_unfinished_runs(
    log: logging.Logger, stage: str, run_id: str, days_by_run: Mapping[str, Sequence[date]]
) -> None:
    """Log a warning for each run that has not finished its days of a stage, and what this run does about them."""
    for other, days in days_by_run.items():
        day_range = str(days[0]) if len(days) == 1 else f"{len(days)} days from {days[0]} to {days[-1]}"
        run = "an earlier attempt of this run" if other == run_id else f"run {other}"
        log.warning(
            f"{stage}: {run} began {day_range} and has not finished: it is still in progress, or it was killed "
            "or failed. What it has committed is kept; this run computes what is missing."
        )
