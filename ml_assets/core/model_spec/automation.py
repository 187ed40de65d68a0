"""Automation of the pipeline: backfill runs, sensor, daily schedule, freshness and retention."""

from datetime import timedelta

from pydantic import Field, field_validator

from ml_assets.core.model_spec.compute import Memory
from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import Duration, PositiveDays, Wait, Window, format_duration


class Backfill(SpecPart):
    """Days of one backfill run."""

    days_per_run: int | None = Field(None, ge=1, le=36500)
    """Maximum number of days in one run of a backfill. By default one run computes all of them: it commits as it goes,
    and its memory does not grow with the number of days. A backfill of more days than this runs stage after stage, each
    in several runs."""
    memory: Memory = "1Gi"
    """Memory budget of a chunk of days that a step computes together; more days are split into chunks that fit. The
    process itself takes up to 512 MiB more. A chunk never exceeds what `compute.data.memory` (the `base` of a rule)
    leaves. With larger chunks, the history of windows is read less often."""


class Sensor(SpecPart):
    """The sensor for landed files: it recomputes every day of the look-back whose objects changed, together with the
    feature days that read it.
    """

    look_back: PositiveDays = timedelta(days=30)
    """Number of days before today that the sensor checks; a change to an older day needs a backfill."""
    marker: str | None = Field(None, pattern=r"^[^/*?{}]+$")
    """Name of the file that marks a day as complete, in the folder of that day, such as _SUCCESS."""
    minimum_age: Duration = timedelta(0)
    """Time since the last write to any file of a day before the day counts as complete."""
    every: Wait = timedelta(minutes=1)
    """Minimum interval between evaluations of the sensor."""
    enabled: bool = True
    """Whether the sensor runs as soon as the code location is loaded."""


class Schedule(SpecPart):
    """The daily schedule of the newest day."""

    cron: str = "0 2 * * *"
    """Cron expression in the time zone of the source: five fields, or a macro such as @daily."""
    enabled: bool = True
    """Whether the schedule runs as soon as the code location is loaded."""


class Freshness(SpecPart):
    """The deadline of the newest day. It does not apply to data with an end (`source.end`)."""

    deadline: str | None = "0 6 * * *"
    """Cron expression in the time zone of the source. raw_data, validated_data and model_registry_entry are stale if
    they have not been materialized by then, and the check newest_day_on_time fails when yesterday's rows are missing.
    null: no deadline."""
    lower_bound: Window = timedelta(hours=6)
    """Length of the window before the deadline in which a materialization counts as that of the newest day: at most 24
    hours, and at most the shortest time between two deadlines. By default from midnight to 06:00."""

    @field_validator("lower_bound")
    @classmethod
    def _is_a_day_at_most(cls, value: timedelta) -> timedelta:
        if value > timedelta(days=1):
            raise ValueError(
                f"{format_duration(value)} is longer than a day, so one materialization would count for two days"
            )
        return value


class Retention(SpecPart):
    """Age at which data and models are removed, once a week. Without an age, nothing is removed. Retention never
    removes data named in the provenance of a registered model, or a version with an alias."""

    replaced_files: PositiveDays | None = None
    """Age, counted from the commit that replaced them, at which replaced files of the lake are deleted. Until then,
    older versions of a table can be read. Required with `days` or `models`."""
    days: PositiveDays | None = None
    """Age of the days whose rows are removed from raw_data, validated_data, quarantined_data, features and their side
    tables, together with their corrections; `replaced_files` then deletes the files. Every registered version keeps the
    days that it was trained on, so set `models` as well. A live canary keeps the days since it began."""
    models: PositiveDays | None = None
    """Age of the models that are removed: the versions in the registry without an alias, their files, and the rows of
    their days in trained_model, evaluation and model_registry_entry."""

    @property
    def removes(self) -> bool:
        """Return whether retention removes anything."""
        return any((self.replaced_files, self.days, self.models))

    def check(self, model_reads: timedelta, reach: timedelta, look_back: timedelta) -> None:
        """Refuse settings that would remove days that are still read.

        Args:
            model_reads: age of the oldest day that today's model reads, including the days that its features read.
            reach: length of the history that a day of features reads.
            look_back: length of the sensor's look-back, in which changed days are recomputed.

        Raises:
            ValueError: naming the field and the numbers.
        """
        if self.replaced_files is None and (self.days or self.models):
            raise ValueError(
                "retention.replaced_files is missing: without it, the files of the rows that `days` and `models` "
                "remove would stay forever"
            )
        if self.days is None:
            return
        too_short = f"retention.days: {format_duration(self.days)} is too short"
        if self.days < model_reads:
            raise ValueError(
                f"{too_short}: a model made today reads {format_duration(model_reads)} back (twice the label_delay, "
                "the holdout, the training window, the days since it was due and its parameters were searched, and "
                f"{format_duration(reach)} that its features see)"
            )
        if self.days <= look_back + reach:
            raise ValueError(
                f"{too_short}: it must be longer than sensor.look_back, {format_duration(look_back)}, and the "
                f"{format_duration(reach)} that features see before a changed day"
            )
