"""The run queue of a local instance, with pool limits in force from the first run on and a shorter backfill interval.

Reason: Dagster gives a pool its default limit when the daemon first finds a run of it in the queue, and starts all runs
that it finds at that moment. Its daemon starts and completes backfills every 30 seconds; the interval is a constant
that no setting replaces.
Public API that would replace it: a default pool limit that applies when a run is submitted, and an interval of the
backfill daemon in `dagster.yaml`.
"""

from collections.abc import Mapping
from typing import Any, cast

from dagster import DagsterRun, QueuedRunCoordinator, SubmitRunContext

from ml_assets.resources.dagster_internals.configurable_class import ConfigurableClassData


class PooledRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue, which applies the default limit of a pool when a run is submitted.

    Args:
        backfill_interval_seconds: how often the daemon of this process starts and completes backfills.
        inst_data: the configuration of the queue in `dagster.yaml`.
        queue_settings: the settings of Dagster's queue.
    """

    def __init__(
        self, backfill_interval_seconds: int, inst_data: ConfigurableClassData | None = None, **queue_settings: Any
    ):
        from dagster._daemon import controller

        super().__init__(inst_data=inst_data, **queue_settings)
        controller.DEFAULT_DAEMON_INTERVAL_SECONDS = backfill_interval_seconds

    @classmethod
    def config_type(cls) -> Any:
        """Return the settings of Dagster's queue, and `backfill_interval_seconds`."""
        return {**cast("Mapping[str, Any]", super().config_type()), "backfill_interval_seconds": int}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledRunCoordinator":
        """Return the queue that `dagster.yaml` describes."""
        return cls(inst_data=inst_data, **config_value)

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Put a run in the queue, after its pools have a limit."""
        concurrency = context.dagster_run.run_op_concurrency
        storage = self._instance.event_log_storage
        # Only pools without a limit: initializing one again would replace a limit that somebody set.
        for pool in set(concurrency.all_pools or () if concurrency else ()) - storage.get_concurrency_keys():
            storage.initialize_concurrency_limit_to_default(pool)
        return super().submit_run(context)
