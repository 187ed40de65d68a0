"""The days on which a model is due: by the interval or cron expression of `training.every`, or by `training.when`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from ml_assets.core.model.files import PROVENANCE
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.durations import format_duration
from ml_assets.core.training.provenance import changed_days
from ml_assets.core.training.time_split import first_model_day
from ml_assets.pipeline.asset_names import FEATURES
from ml_assets.pipeline.engine.stage import CannotMake
from ml_assets.pipeline.features.checks import find_feature_drift
from ml_assets.pipeline.features.labelled_features import LabelledFeatures
from ml_assets.pipeline.training.committed_rows import CommittedRows, to_rows
from ml_assets.resources.lake.table import Table

if TYPE_CHECKING:
    from ml_assets.pipeline.features.stage import FeatureEngineering

DAY = timedelta(days=1)
# 29 February may be eight years away.
LONGEST_GAP_IN_YEARS = 9


@dataclass(frozen=True)
class Due:
    """Whether a model is due on a day, and the reason; None where a model is due every day."""

    is_due: bool
    reason: str | None


class TrainingSchedule:
    """The days on which a model is due by `training.every`.

    The first day that has a model is always due. An interval counts from it. A cron expression makes the model of a day
    due if it has a tick on the day after, on which the daily run of the day takes place. So whether a day is due does
    not depend on what was computed before.
    """

    def __init__(self, spec: ModelSpec):
        self._every = spec.training.every
        self.first = first_model_day(spec)

    def is_due(self, day: date) -> bool:
        """Return whether a model is due on a day."""
        if isinstance(self._every, timedelta):
            return (day - self.first) % self._every == timedelta(0)
        return day == self.first or day in _days_of_cron(self._every, self.first, day.year + 1)

    def last_due(self, day: date) -> date:
        """Return the newest day up to a day on which a model was due; the first day that has a model for days before
        it.
        """
        if day <= self.first:
            return self.first
        if isinstance(self._every, timedelta):
            return day - (day - self.first) % self._every
        days = _days_of_cron(self._every, self.first, day.year + 1)
        return max((due for due in days if due <= day), default=self.first)

    def next_due(self, day: date) -> date:
        """Return the next day after a day on which a model is due."""
        if day < self.first:
            return self.first
        if isinstance(self._every, timedelta):
            return day + self._every - (day - self.first) % self._every
        soon, later = (_days_of_cron(self._every, self.first, day.year + years) for years in (1, LONGEST_GAP_IN_YEARS))
        return min((due for due in soon if due > day), default=None) or min(due for due in later if due > day)

    def __str__(self) -> str:
        return f"training.every {format_every(self._every)}"


def format_every(every: timedelta | str) -> str:
    """Return an interval as `7d`, a cron expression in quotation marks."""
    return format_duration(every) if isinstance(every, timedelta) else repr(every)


@lru_cache(maxsize=32)
def _days_of_cron(cron: str, first: date, last_year: int) -> frozenset[date]:
    """Return the days from `first` to the end of a year whose daily run falls on a day with a tick."""
    import dagster as dg

    fields = cron.split()
    # Minute and hour do not matter, and midnight exists every day in UTC.
    expression = " ".join(["0", "0", *fields[2:]]) if len(fields) == 5 else cron
    ticks = dg.TimeWindowPartitionsDefinition(
        start=datetime(first.year, first.month, first.day),
        cron_schedule=expression,
        fmt="%Y-%m-%d",
        end_offset=1,
    ).get_partition_keys(current_time=datetime(last_year, 12, 31))
    return frozenset(date.fromisoformat(tick) - DAY for tick in ticks) - {first - DAY}


class DueModels:
    """Decides whether a model is due on a day, from the specification and what is committed in the lake.

    Args:
        spec: the model.
        models: the table trained_model.
        features: the stage features, whose profiles show drift.
        rows: the days of features with their labels, which show stale inputs.
    """

    def __init__(self, spec: ModelSpec, models: Table, features: "FeatureEngineering", rows: LabelledFeatures):
        self.schedule = TrainingSchedule(spec)
        self._spec = spec
        self._models = models
        self._features = features
        self._rows = rows
        self._drifts: dict[date, str | None] = {}
        self._model_rows = CommittedRows(models, to_rows)
        triggers: dict[str, Callable[[date], str | None]] = {"drift": self._drift, "stale_inputs": self._stale_inputs}
        self._triggers = [(name, triggers[name]) for name in spec.training.when]

    @property
    def is_every_day(self) -> bool:
        """Whether a model is due every day."""
        return self._spec.training.every == DAY

    @property
    def depends_on_models(self) -> bool:
        """Whether a decision depends on the models of the days before."""
        return "stale_inputs" in self._spec.training.when

    def refresh(self) -> None:
        """Forget all cached inputs."""
        self._drifts.clear()
        if self.is_every_day:
            return
        self._models.refresh()
        for table in self._features.tables.values() if "drift" in self._spec.training.when else ():
            table.refresh()
        if self.depends_on_models:
            self._rows.refresh()

    def decide(self, day: date) -> Due:
        """Decide whether a model is due on a day: by the schedule, else by the first trigger that asks for one."""
        # Before the first day that has a model, training says so.
        if self.is_every_day or day < self.schedule.first:
            return Due(True, None)
        if self.schedule.is_due(day):
            return Due(True, f"by {self.schedule}")
        for name, trigger in self._triggers:
            if reason := trigger(day):
                return Due(True, f"{name}: {reason}")
        until = self.schedule.next_due(day)
        others = " or ".join(name for name, _ in self._triggers)
        return Due(
            False,
            f"no model is due until {until}, by {self.schedule}"
            + (f"; {others} does not ask for one before" if others else ""),
        )

    def _drift(self, day: date) -> str | None:
        if self._features.tables[FEATURES].is_assumed(day):
            return None
        if day not in self._drifts:
            self._drifts[day] = find_feature_drift(self._spec, self._features, day)
        return self._drifts[day]

    def _stale_inputs(self, day: date) -> str | None:
        """Return why the newest model before a day is not that of its data; None if it is, or that is not known."""
        last = self.schedule.last_due(day)
        before = day - DAY
        while before >= last:
            if self._models.is_assumed(before):
                return None
            rows = self._model_rows.read(before)
            if rows and rows[0]["model_digest"]:
                changed = self._changed_days(before, rows[0])
                days = f"{len(changed)} days" if len(changed) > 1 else "a day"
                return f"{days} of the training window of the model of {before} changed" if changed else None
            before -= DAY
        return f"the model that was due on {last} was not made"

    def _changed_days(self, day: date, row: dict) -> list[str]:
        try:
            now = self._rows.input_fingerprints(day)
            then = json.loads(self._rows.lake.files.read(f"{row['artifacts']}/{PROVENANCE}"))["days"]
        except (CannotMake, FileNotFoundError):
            return []
        return changed_days(then, now)


def why_no_model(row: dict) -> str:
    """Return why a day has no model, from its row of trained_model: that none is due, or what kept it from being
    made.
    """
    return not_due(row) or f"no model: {row['problem']}"


def not_due(row: dict) -> str | None:
    """Return why no model was due on a day, from its row of trained_model; None if one was."""
    return row.get("due") if not row["model_digest"] and not row["problem"] else None
