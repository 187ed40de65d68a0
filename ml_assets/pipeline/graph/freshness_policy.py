"""The freshness policy of a model, from its deadline."""

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.model_spec import ModelSpec

if TYPE_CHECKING:
    pass


def freshness_policy(spec: ModelSpec) -> dg.FreshnessPolicy | None:
    """Return Dagster's policy for the assets that must be materialized each day; None if the specification has no
    deadline or the data have an end.

    Dagster looks at the last materialization of any partition. A backfill of old days makes an asset look fresh; see
    `newest_day_check`.
    """
    deadline = spec.freshness.deadline
    if deadline is None or spec.source.end is not None:
        return None
    return _policy(deadline, spec.freshness.lower_bound, spec.source.time_zone)


# Dagster takes 20 ms to evaluate the cron expression, and every process loads the definitions.
@cache
def _policy(deadline: str, lower_bound: timedelta, time_zone: str) -> dg.FreshnessPolicy:
    return dg.FreshnessPolicy.cron(deadline_cron=deadline, lower_bound_delta=lower_bound, timezone=time_zone)
