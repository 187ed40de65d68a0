"""Sizes of a series of benchmarks, and the folder that they share."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from benchmarks.peers.transactions import write_days

START = date(2025, 1, 1)


@dataclass(frozen=True)
class Sizes:
    """How much each benchmark does.

    Args:
        days, rows: of the series with a model each day, and its rows a day.
        rounds: how often contenders of the long benchmarks take turns.
        short_rounds: how often those of the short ones do.
        window_days, window_rows: of the features over windows.
        worker_rows: rows of these days where workers make them.
        feature_days: days from raw files to features of the shipped model.
        growth_days: days of each size in the growth by rows and by days.
        growth_rows: rows a day.
        memory_days: numbers of days of the shipped model whose peak memory is compared.
        rows_validated: rows of a day that is validated.
        training_days, training_rows: two numbers of days of one training, and rows a day.
        objects: numbers of landed objects that the sensor looks through.
        daemon_days: days of a backfill through webserver and daemon.
        seconds: of load on the service.
    """

    days: int = 60
    rows: int = 20_000
    rounds: int = 2
    short_rounds: int = 3
    window_days: int = 14
    window_rows: int = 1_000_000
    worker_rows: int = 400_000
    feature_days: int = 60
    growth_days: tuple[int, ...] = (8, 16, 32)
    growth_rows: tuple[int, ...] = (1_000, 10_000, 100_000)
    memory_days: tuple[int, int] = (40, 400)
    rows_validated: int = 1_000_000
    training_days: tuple[int, int] = (100, 300)
    training_rows: int = 5_000
    objects: tuple[int, ...] = (1_000, 10_000, 100_000)
    daemon_days: int = 60
    seconds: float = 8.0

    def quick(self) -> "Sizes":
        """Return small sizes, which show that everything works and little more."""
        return replace(
            self,
            days=8,
            rows=2_000,
            rounds=1,
            short_rounds=1,
            window_days=3,
            window_rows=20_000,
            worker_rows=20_000,
            feature_days=4,
            growth_days=(6, 8),
            growth_rows=(1_000, 4_000),
            memory_days=(4, 8),
            rows_validated=50_000,
            training_days=(12, 24),
            training_rows=500,
            objects=(1_000,),
            daemon_days=12,
            seconds=1.0,
        )


class Context:
    """Sizes and a folder of a run of benchmarks.

    Args:
        sizes: see there.
        root: an empty folder, removed afterwards.
    """

    def __init__(self, sizes: Sizes, root: Path):
        self.sizes, self.root = sizes, root
        self._number = 0

    def folder(self, name: str) -> Path:
        """Create a new folder."""
        self._number += 1
        folder = self.root / f"{self._number:03}-{name}"
        folder.mkdir()
        return folder

    def transactions(self, days: int, rows: int) -> Path:
        """Return a folder with the files of `days` days from START on, written once."""
        folder = self.root / f"transactions-{days}-{rows}"
        if not folder.exists():
            write_days(folder, START, days, rows)
        return folder


def day(number: int) -> date:
    """Return the day with a number from 1."""
    return START + timedelta(days=number - 1)
