"""The cron expressions of a specification, checked by Dagster itself."""

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.graph.freshness_policy import freshness_policy


def check_cron_fields(spec: ModelSpec) -> None:
    """Refuse cron expressions that Dagster does not take, before a definition is built from them.

    Args:
        spec: the specification; `schedule.cron`, `training.every`, `freshness.deadline` and `freshness.lower_bound` are
            checked.

    Raises:
        ValueError: names the field and its value.
    """
    every = spec.training.every
    fields = [("schedule.cron", spec.schedule.cron), ("freshness.deadline", spec.freshness.deadline)]
    for field, cron in [*fields, ("training.every", every if isinstance(every, str) else None)]:
        if cron is not None:
            _check_cron(field, cron)
    try:
        freshness_policy(spec)
    except Exception as error:  # The CheckError that Dagster raises is not part of its public API.
        raise ValueError(
            f"freshness.lower_bound: it must not be longer than the shortest time between two deadlines of "
            f"{spec.freshness.deadline!r}, or a materialization would count for two of them ({error})"
        ) from error


def _check_cron(field: str, cron: str) -> None:
    try:
        # Named by its job: the parser of an asset selection takes 50 ms to import.
        dg.ScheduleDefinition(name="cron", cron_schedule=cron, job_name="cron")
    except dg.DagsterInvalidDefinitionError as error:
        raise ValueError(
            f"{field}: {cron!r} is not a cron expression. Write minute, hour, day of the month, month and day of the "
            "week, such as '0 2 * * *', or a macro such as @daily"
        ) from error
