"""The days on which a model is due: by the interval or cron expression of `training.every`, or by `training.when`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.durations import format_duration
from ml_assets.core.training.time_split import first_model_day

DAY = timedelta(days=1)
REQUESTED = "requested by a run"
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
        """Return the newest day up to `day` on which a model was due; for earlier days, the first day that has
        a model.
        """
        if day <= self.first:
            return self.first
        if isinstance(self._every, timedelta):
            return day - (day - self.first) % self._every
        days = _days_of_cron(self._every, self.first, day.year + 1)
        return max((due for due in days if due <= day), default=self.first)

    def next_due(self, day: date) -> date:
        """Return the first day after `day` on which a model is due."""
        if day < self.first:
            return self.first
        if isinstance(self._every, timedelta):
            return day + self._every - (day - self.first) % self._every
        soon, later = (_days_of_cron(self._every, self.first, day.year + years) for years in (1, LONGEST_GAP_IN_YEARS))
        return min((due for due in soon if due > day), default=None) or min(due for due in later if due > day)

    def __str__(self) -> str:
        return f"training.every {format_every(self._every)}"


def format_every(every: timedelta | str) -> str:
    """Return an interval as in `7d`, or a cron expression in quotation marks."""
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


class Trigger(Protocol):
    """A reason to train before a model is due by the schedule."""

    def refresh(self) -> None:
        """Reopen the inputs at their newest versions."""
        ...

    def reason(self, day: date) -> str | None:
        """Return why this trigger makes a model due on a day; None if it does not."""
        ...


class DueModels:
    """Decides whether a model is due on a day, from the specification and what is committed in the lake.

    Args:
        spec: the model.
        triggers: the triggers of `training.when`, by name.
        is_requested: whether the run asks for a model of each of its days, even if none is due.
    """

    def __init__(self, spec: ModelSpec, triggers: Mapping[str, Trigger], is_requested: bool = False):
        self.schedule = TrainingSchedule(spec)
        self._triggers = triggers
        self.is_requested = is_requested
        self.is_every_day = spec.training.every == DAY
        """Whether a model is due every day."""
        self.depends_on_models = "stale_inputs" in triggers
        """Whether a decision depends on the models of the days before."""

    def refresh(self) -> None:
        """Reopen the inputs at their newest versions."""
        for trigger in self._triggers.values():
            trigger.refresh()

    def decide(self, day: date) -> Due:
        """Decide whether a model is due on a day: by the schedule, else by the first trigger that asks for one, or by
        request.
        """
        # Before the first day that has a model, training reports the reason itself.
        if self.is_every_day or day < self.schedule.first:
            return Due(True, None)
        if self.schedule.is_due(day):
            return Due(True, f"by {self.schedule}")
        for name, trigger in self._triggers.items():
            if reason := trigger.reason(day):
                return Due(True, f"{name}: {reason}")
        if self.is_requested:
            return Due(True, REQUESTED)
        others = f"; {' or '.join(self._triggers)} does not ask for one before" if self._triggers else ""
        return Due(False, f"no model is due until {self.schedule.next_due(day)}, by {self.schedule}{others}")


def why_no_model(row: dict) -> str:
    """Return why a day has no model, from its row of trained_model: none is due, or it could not be trained."""
    return not_due(row) or f"no model: {row['problem']}"


def not_due(row: dict) -> str | None:
    """Return why no model was due on a day, from its row of trained_model; None if one was."""
    return row.get("due") if not row["model_digest"] and not row["problem"] else None
