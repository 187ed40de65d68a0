"""The run launcher of a local instance, which lets run monitoring fail the runs whose process is gone."""

from dagster import DagsterInstance

from ml_assets.resources.dagster_instance.dead_runs import is_alive
from ml_assets.resources.dagster_internals.run_launcher import HealthCheckingRunLauncher


class MonitoredRunLauncher(HealthCheckingRunLauncher):
    """Launches runs as Dagster's default launcher does, and lets run monitoring mark runs as failed, for example those
    in progress when the machine restarted.
    """

    def is_alive(self, instance: DagsterInstance, run_id: str) -> bool | None:
        """Return whether the process that locked the run still exists; None if no process of this machine has."""
        return is_alive(instance, run_id)
