"""The states of a freshness policy, and the event that reports a change of state.

Reason: a notification follows each change of freshness, and Dagster has no public hook for it.
Public API that would replace it: a freshness sensor, or exports of these names from `dagster`.
"""

from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

__all__ = ["FreshnessState", "FreshnessStateChange"]
