"""How the pipeline runs: resources of the training step, size of backfill runs, sensor and daily schedule."""

from datetime import timedelta

from pydantic import Field, field_validator

from ml_assets.core.spec.base import SpecPart
from ml_assets.core.spec.cron import check_cron
from ml_assets.core.spec.durations import Duration, PositiveDays, Window


class Compute(SpecPart):
    """What the training step needs; where that is, the environment decides."""

    cpu: int = Field(2, ge=1)
    """CPU cores, and the number of threads of XGBoost: part of what makes training repeatable."""
    memory: str = Field("4Gi", pattern=r"^[0-9]+(Mi|Gi)$")
    """Memory in Kubernetes notation."""
    gpu: int = Field(0, ge=0)
    """GPUs; with one or more, XGBoost trains on CUDA where there is a device, and on the CPU, with a warning, where there is none."""


class Backfill(SpecPart):
    """How many days one run makes."""

    days_per_run: int | None = Field(None, ge=1)
    """Most days in one run of a backfill. By default one run makes all of them: it commits as it goes and its memory does not grow with the days. A
    backfill of more days than stated here runs stage after stage, each in several runs."""


class Sensor(SpecPart):
    """How landed files are noticed: every day of the look-back whose objects changed is made again, with the feature days that see it."""

    look_back: PositiveDays = timedelta(days=30)
    """How many days before today are looked at; a change of an older day has to be backfilled."""
    marker: str | None = Field(None, pattern=r"^[^/*?{}]+$")
    """Name of the file, in the folder of a day, that says that the day is complete, such as _SUCCESS."""
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
