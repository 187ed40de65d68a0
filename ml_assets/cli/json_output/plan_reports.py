"""The JSON document of a plan. Fields are added to it, and never removed or renamed."""

from datetime import date

from pydantic import BaseModel, Field


class DayReason(BaseModel):
    """A day with a reason."""

    day: date
    reason: str


class PlannedDayReport(BaseModel):
    """A day that a run will compute."""

    day: date
    reasons: list[str]
    note: str | None = Field(description="the condition on which the day is computed")


class StageReport(BaseModel):
    """The planned days of a stage."""

    stage: str
    to_make: list[PlannedDayReport]
    unchanged: int = Field(description="days that are up to date")
    kept: list[DayReason] = Field(description="days that are kept, although they would be computed differently now")
    cannot: list[DayReason] = Field(description="days that cannot be computed")
    not_reached: list[date] = Field(description="days of runs in which an earlier stage fails")
    rows: int | None = Field(description="rows to process; null when unknown, or for a stage that reads none")
    bytes: int | None = Field(description="bytes of landed files to read")


class PlannedRun(BaseModel):
    """A run of a backfill."""

    first_day: date
    last_day: date
    days_to_make: int = Field(description="over all stages")


class EstimateReport(BaseModel):
    """Duration and cost of a backfill, estimated from days that were measured before."""

    seconds: float
    cpu_hours: float
    gpu_hours: float
    memory_peak: int = Field(description="bytes of the largest process")
    cost: float | None = Field(description="null without `compute.prices`")
    currency: str | None
    unmeasured: list[str] = Field(description="stages with days to compute that have no measured day")


class PlanReport(BaseModel):
    """The plan of a backfill, from `ml-assets plan`."""

    model: str
    job: str
    runs: list[PlannedRun]
    stages: list[StageReport]
    estimate: EstimateReport | None = Field(description="null if no day of any stage to compute was measured")
