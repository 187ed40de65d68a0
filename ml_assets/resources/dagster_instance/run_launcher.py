"""The run launcher of a local instance, which lets run monitoring fail the runs whose process is gone."""

from dagster import DagsterInstance

from ml_assets.resources.dagster_instance.dead_runs import is_dead
from ml_assets.resources.dagster_internals.run_launcher import HealthCheckingRunLauncher


class MonitoredRunLauncher(HealthCheckingRunLauncher):
    """Launches runs as Dagster's default launcher does. After a restart of the machine, for example, run monitoring
    marks the runs that were in progress as failed.
    """

    def has_died(self, instance: DagsterInstance, run_id: str) -> bool:
        """Return whether the process that locked the run is gone."""
        return is_dead(instance, run_id)
