"""A model each day: a range of days, then one new day in a cold process, then the same day again."""

from datetime import date
from functools import partial
from pathlib import Path

from benchmarks.harness.context import Context, day
from benchmarks.harness.process import Measurement, ProcessFailed, alternate, environment, measure, python
from benchmarks.harness.project import Instance, Project, read_model
from benchmarks.harness.results import DAGSTER, FLOOR, OURS, Result, timed

ASSETS = ("transfers/*",)
# Days of training, validation and holdout, and a day until labels are known.
DAYS_BEFORE = 4


class DailyModels:
    """The three contenders on the same files; the last history of each is kept for the days that follow.

    Args:
        context: sizes and folder.
        days: number of days of the history.
        rows: rows a day.
    """

    def __init__(self, context: Context, days: int, rows: int):
        self.context, self.days, self.rows = context, days, rows
        # Days after the history, each new once.
        self.landing = context.transactions(days + context.sizes.short_rounds, rows)
        self.project = Project(context.folder("project"), [read_model("transfers")])
        self._last: dict[str, Path] = {}
        self._instance: Instance | None = None

    def ours(self) -> Measurement:
        """Make all days on an empty instance.

        Raises:
            ProcessFailed: when days are without a model that could have one.
        """
        self._instance = self.project.instance(self.context.folder("ours"), self.landing)
        measurement = self._instance.materialize(ASSETS, day(1), day(self.days))
        models = len(list((self._instance.folder / "lake" / "transfers" / "models").glob("*")))
        if models != (expected := max(self.days - DAYS_BEFORE, 0)):
            raise ProcessFailed(f"{models} models of {self.days} days instead of {expected}")
        return measurement

    def floor(self) -> Measurement:
        """Run the plain functions on all days."""
        self._last[FLOOR] = self.context.folder("floor")
        return self._plain([str(day(number)) for number in range(1, self.days + 1)])

    def dagster(self) -> Measurement:
        """Run Dagster by its own remedies on all days, on an empty instance."""
        out = self._last[DAGSTER] = self.context.folder("dagster")
        (out / "home").mkdir()
        (out / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        return self._by_dagster(day(1), day(self.days))

    def compare(self, rounds: int) -> dict[str, list[Measurement]]:
        """Let the three take turns on all days."""
        return alternate(rounds, {FLOOR: self.floor, DAGSTER: self.dagster, OURS: self.ours})

    def compare_day(self, which: date) -> dict[str, list[Measurement]]:
        """Let the three make one day after the history, each in a new process."""
        if self._instance is None:
            self.ours()
        if DAGSTER not in self._last:
            self.dagster()
        if FLOOR not in self._last:
            self._last[FLOOR] = self.context.folder("floor")
        contenders = {
            FLOOR: partial(self._plain, [str(which)]),
            DAGSTER: partial(self._by_dagster, which),
            OURS: partial(self.repeat, which),
        }
        return alternate(1, contenders)

    def repeat(self, which: date) -> Measurement:
        """Materialize one day, which may be made already, in a new process."""
        assert self._instance is not None
        return self._instance.materialize(ASSETS, which)

    def _plain(self, days: list[str]) -> Measurement:
        return measure(python("-m", "benchmarks.peers.steps", self.landing, self._last[FLOOR], *days))

    def _by_dagster(self, *days: date) -> Measurement:
        out = self._last[DAGSTER]
        command = python("-m", "benchmarks.peers.dagster_job", self.landing, out, *days)
        return measure(command, environment(DAGSTER_HOME=str(out / "home")))


def measure_days(context: Context, models: DailyModels) -> list[Result]:
    """Measure a range of days with a model each day."""
    title = f"{models.days} days of {models.rows:,} rows, a model each day"
    return [timed("days", title, models.compare(context.sizes.rounds), DAGSTER, 1.5)]


def measure_single_days(context: Context, models: DailyModels) -> list[Result]:
    """Measure one new day in a cold process, and the same day again with nothing changed."""
    new: dict[str, list[Measurement]] = {}
    again: dict[str, list[Measurement]] = {}
    for number in range(models.days + 1, models.days + 1 + context.sizes.short_rounds):
        for name, series in models.compare_day(day(number)).items():
            new.setdefault(name, []).extend(series)
        again.setdefault(OURS, []).append(models.repeat(day(number)))
    # Dagster makes a day again as it made it at first.
    again[DAGSTER] = new[DAGSTER]
    after = f"after {models.days} days"
    return [
        timed("newday", f"one new day of {models.rows:,} rows {after}, cold process", new, DAGSTER, 1.4),
        timed("sameday", f"the same day again {after}, nothing changed", again, DAGSTER, 0.9),
    ]
