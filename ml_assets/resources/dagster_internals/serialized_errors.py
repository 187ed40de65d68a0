"""The type of the error that Dagster stores with a failure event.

Reason: functions that read the error of a failed step or run are annotated with it.
Public API that would replace it: an export of `SerializableErrorInfo` from `dagster`.
"""

from dagster_shared.error import SerializableErrorInfo

__all__ = ["SerializableErrorInfo"]
