"""The stored status of a schedule or sensor that somebody started or stopped.

Reason: the doctor reports which schedules and sensors are off.
Public API that would replace it: an export of `InstigatorStatus` from `dagster`.
"""

from dagster._core.scheduler.instigation import InstigatorStatus

__all__ = ["InstigatorStatus"]
