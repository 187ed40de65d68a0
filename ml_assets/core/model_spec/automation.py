"""How the pipeline runs: size of backfill runs, sensor, daily schedule, and how long things are kept."""

from datetime import timedelta

from pydantic import Field, field_validator, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.cron import check_cron, shortest_interval
from ml_assets.core.model_spec.types.durations import Duration, PositiveDays, Window, format_duration


class Backfill(SpecPart):
    """How many days one run makes."""

    days_per_run: int | None = Field(None, ge=1)
    """Most days in one run of a backfill. By default one run makes all of them: it commits as it goes and its memory
    does not grow with the days. A backfill of more days than stated here runs stage after stage, each in several
    runs."""


class Sensor(SpecPart):
    """How landed files are noticed: every day of the look-back whose objects changed is made again, with the feature
    days that see it.
    """

    look_back: PositiveDays = timedelta(days=30)
    """How many days before today are looked at; a change of an older day has to be backfilled."""
    marker: str | None = Field(None, pattern=r"^[^/*?{}]+$")
    """Name of the file, in the folder of a day, that says that the rows of the day are complete, such as _SUCCESS."""
    minimum_age: Duration = timedelta(0)
    """How long the newest file of a day must have rested before the day counts as complete."""
    every: Window = timedelta(minutes=1)
    """Shortest time between two looks."""
    enabled: bool = True
    """Whether the sensor runs as soon as the location is loaded."""


class Schedule(SpecPart):
    """When the newest day is made."""

    cron: str = "0 2 * * *"
    """Cron expression in the time zone of the source: five fields, or a macro such as @daily."""
    enabled: bool = True
    """Whether the schedule runs as soon as the location is loaded."""

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        return check_cron(value)


class Freshness(SpecPart):
    """By when the newest day has to be there. Not for data that have an end (`source.end`)."""

    deadline: str | None = "0 6 * * *"
    """Cron expression in the time zone of the source: raw_data, validated_data and model_registry_entry are stale when
    they were not materialised by then, and the check newest_day_on_time looks whether yesterday's rows are there. null:
    nothing is expected."""
    lower_bound: Window = timedelta(hours=6)
    """How long before the deadline a materialisation counts as that of the newest day: no longer than the shortest time
    between two deadlines, 24 hours at most. The default reaches from 06:00 back to the end of the day."""

    @field_validator("deadline")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        return value if value is None else check_cron(value)

    @model_validator(mode="after")
    def _deadlines_lie_further_apart(self) -> "Freshness":
        if self.deadline is not None and self.lower_bound > (shortest := shortest_interval(self.deadline)):
            raise ValueError(
                f"lower_bound {format_duration(self.lower_bound)} is longer than the {format_duration(shortest)} between two deadlines of "
                f"{self.deadline!r}; a materialisation would count for two of them"
            )
        return self


class Retention(SpecPart):
    """What is removed once a week, and when; without a value things are kept for ever. What the passport of a
    registered model names stays, and so does a version that has an alias."""

    replaced_files: PositiveDays | None = None
    """Files of the lake's tables that newer commits replaced are deleted when they were replaced this long ago; until
    then older versions of a table can be read."""
    days: PositiveDays | None = None
    """Rows of raw_data, validated_data, quarantined_data and features (and of their side tables), and corrections, of
    days longer ago than this are removed; their files go with `replaced_files`. Every registered version keeps the days
    it was made from, so set `models` as well."""
    models: PositiveDays | None = None
    """Models of days longer ago than this are removed: the versions in the registry without an alias, their files, and
    the rows of these days in trained_model, evaluation and model_registry_entry."""

    @property
    def removes(self) -> bool:
        """Whether anything is ever removed."""
        return any((self.replaced_files, self.days, self.models))

    def check(self, model_reads: timedelta, reach: timedelta, look_back: timedelta) -> None:
        """Refuse what would remove days that are still read.

        Args:
            model_reads: how far back the days reach that a model made today is made from, with what their features see.
            reach: how far back a day of features sees.
            look_back: how far back the sensor has changed days made again.

        Raises:
            ValueError: naming the field and the numbers.
        """
        if self.replaced_files is None and (self.days or self.models):
            raise ValueError(
                "retention.replaced_files is missing: the files of rows that `days` and `models` remove would stay for ever without it"
            )
        if self.days is None:
            return
        shown = f"retention.days: {format_duration(self.days)} is too short"
        if self.days < model_reads:
            raise ValueError(
                f"{shown}: a model made today reads {format_duration(model_reads)} back (twice the label_delay, the holdout, the training window, "
                f"the days since its parameters were searched, and {format_duration(reach)} that its features see)"
            )
        if self.days <= look_back + reach:
            raise ValueError(
                f"{shown}: it must be longer than sensor.look_back, {format_duration(look_back)}, and the {format_duration(reach)} that features see "
                "before a changed day"
            )
