"""Estimate of the time and cost of a backfill, from the measured cost of earlier days."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ml_assets.core.model_spec.compute import Prices
from ml_assets.core.operations.stage_costs import billed_cpu_seconds

MAX_STEPS = 5
# Steps whose number of days is within this factor of the best match count as equally good.
SIMILAR = 1.5
# A step is comparable only if its number of days is within this factor of that of a run.
COMPARABLE = 3.0
HOUR = 3600.0


@dataclass(frozen=True)
class StageEstimate:
    """The estimate of a stage: seconds including the start of pods, core hours and GPU hours, the peak memory in bytes,
    the number of measured days that it is based on, and whether their runs had a comparable number of days.
    """

    seconds: float
    cpu_hours: float
    gpu_hours: float
    memory_peak: int
    measured_days: int
    is_comparable: bool = True


@dataclass(frozen=True)
class BackfillEstimate:
    """The estimate of a backfill.

    stages: the estimate of each stage that was measured. unmeasured: stages with days to compute but without
    measurements, whose time and cost are not included.
    """

    stages: Mapping[str, StageEstimate] = field(default_factory=dict)
    unmeasured: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """Total seconds of all measured stages, which run one after the other."""
        return sum(stage.seconds for stage in self.stages.values())

    @property
    def cpu_hours(self) -> float:
        """Core hours."""
        return sum(stage.cpu_hours for stage in self.stages.values())

    @property
    def gpu_hours(self) -> float:
        """GPU hours."""
        return sum(stage.gpu_hours for stage in self.stages.values())

    @property
    def memory_peak(self) -> int:
        """Peak memory of a process, in bytes."""
        return max((stage.memory_peak for stage in self.stages.values()), default=0)

    def cost(self, prices: Prices | None) -> float | None:
        """Return the cost of the measured stages; None without prices, or if GPUs are used but have no price."""
        if prices is None or not self.stages or (self.gpu_hours and prices.gpu_hour is None):
            return None
        return self.cpu_hours * prices.cpu_hour + self.gpu_hours * (prices.gpu_hour or 0.0)


def estimate_backfill(
    measured: Iterable[Mapping[str, Any]], to_make: Mapping[str, int], days_per_run: int
) -> BackfillEstimate:
    """Estimate a backfill from the measured steps whose number of days is nearest to that of its runs.

    A step of a single day takes much longer per day than a step of many days, because each step loads libraries and
    reads the earlier days once. Of the best matching steps, the five newest are used.

    Args:
        measured: rows of `stage_costs`, in any order.
        to_make: number of days to compute, by stage.
        days_per_run: number of days of a run.
    """
    steps: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in measured:
        steps.setdefault(row["stage"], {}).setdefault(row["run_id"], []).append(row)
    needed = {stage: days for stage, days in to_make.items() if days}
    estimates = {
        stage: _estimate_stage(list(steps[stage].values()), min(days, days_per_run), days)
        for stage, days in needed.items()
        if stage in steps
    }
    return BackfillEstimate(estimates, [stage for stage in needed if stage not in estimates])


def _estimate_stage(steps: Sequence[Sequence[Mapping[str, Any]]], days_per_run: int, days: int) -> StageEstimate:
    """Estimate a stage from the newest steps whose number of days is nearest to that of a run."""
    misfits = [abs(math.log(len(rows) / days_per_run)) for rows in steps]
    limit = min(misfits) + math.log(SIMILAR)
    fitting = [rows for rows, misfit in zip(steps, misfits, strict=True) if misfit <= limit]
    newest = sorted(fitting, key=lambda rows: max(row["measured_at"] for row in rows))[-MAX_STEPS:]
    rows = [row for step in newest for row in step]
    factor = days / len(rows)
    return StageEstimate(
        # Tables of earlier versions have no start-up times.
        factor * sum(row["seconds"] + (row.get("start_seconds") or 0.0) for row in rows),
        factor * sum(map(billed_cpu_seconds, rows)) / HOUR,
        factor * sum(row["gpu_seconds"] for row in rows) / HOUR,
        max(row["memory_peak"] for row in rows),
        len({row["day"] for row in rows}),
        min(misfits) <= math.log(COMPARABLE),
    )
