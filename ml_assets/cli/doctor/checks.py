"""The doctor's checks: each rule of `core/operations/doctor` with the probe that measures its arguments.

To add a check, write a rule there, a probe in `probes.py` (what it measures is in `resources/probes`), and
an entry here.
"""

import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ml_assets.cli.doctor import probes
from ml_assets.cli.doctor.context import DoctorContext, NotMeasured
from ml_assets.cli.home import list_differences
from ml_assets.cli.project import current_project
from ml_assets.core.operations.doctor import environment_checks, instance_checks, permission_checks, storage_checks
from ml_assets.core.operations.doctor.diagnosis import Diagnosis, error
from ml_assets.core.operations.failures.damaged_state import DamagedState
from ml_assets.defs.settings import Settings
from ml_assets.resources.probes import instance_probe, storage_probe


@dataclass(frozen=True)
class Check:
    """A rule and the probe that measures its arguments; the probe raises NotMeasured when there is nothing to check."""

    rule: Callable[..., Diagnosis]
    probe: Callable[[DoctorContext], probes.Values]

    @property
    def name(self) -> str:
        """Name of the check."""
        return self.rule.__name__

    @property
    def purpose(self) -> str:
        """First paragraph of the rule's docstring."""
        return (self.rule.__doc__ or "").split("\n\n")[0]

    def run(self, context: DoctorContext) -> Diagnosis | None:
        """Measure and evaluate; an unexpected exception becomes an error of this check."""
        try:
            return self.rule(*self.probe(context))
        except NotMeasured:
            return None
        except DamagedState as damaged:
            if context.reports(damaged):
                return None
            message, _, remedy = str(damaged).partition(". ")
            return error(self.name, message, remedy or "run `ml-assets doctor` again")
        except Exception as problem:
            message = f"the check failed: {context.describe(problem)}"
            return error(self.name, message, "fix the other errors first and run `ml-assets doctor` again")


def diagnose(settings: Settings) -> Iterator[Diagnosis]:
    """Run every check that applies to these settings.

    Nothing is changed, except that an empty file is created and removed again in each location that must be writable.
    """
    with DoctorContext(settings) as context:
        for check in CHECKS:
            if (diagnosis := check.run(context)) is not None:
                yield diagnosis


CHECKS = (
    # Invalid settings end the doctor before any other check, with an error of this one.
    Check(environment_checks.environment, lambda _: (None,)),
    Check(
        environment_checks.code_location,
        lambda at: (at.code_location.time_zones, at.code_location.problem, at.code_location.broken),
    ),
    Check(environment_checks.time_zones, lambda at: (at.definitions.time_zones, zoneinfo.available_timezones())),
    Check(instance_checks.dagster_home, probes.probe_dagster_home),
    Check(storage_checks.damaged_state, probes.probe_damaged_state),
    Check(instance_checks.run_retries, lambda at: (at.instance_settings, at.production)),
    Check(instance_checks.run_monitoring, lambda at: (at.instance_settings,)),
    Check(instance_checks.freed_slots, lambda at: (at.instance_settings,)),
    Check(
        instance_checks.shipped_settings,
        lambda at: (list_differences(at.instance_settings, at.settings),),
    ),
    Check(instance_checks.instance, probes.probe_instance),
    Check(storage_checks.storage, lambda at: (instance_probe.read_storage_kind(at.instance), at.production)),
    Check(storage_checks.dagster_schema, lambda at: instance_probe.read_schema_revisions(at.instance)),
    Check(instance_checks.run_queue, lambda at: (instance_probe.has_run_queue(at.complete_instance),)),
    Check(environment_checks.daemons, probes.probe_daemons),
    Check(
        instance_checks.pools,
        lambda at: (at.definitions.pools, *instance_probe.read_pool_limits(at.complete_instance)),
    ),
    Check(
        environment_checks.automation,
        lambda at: instance_probe.read_automation(at.instance, at.definitions.automation, current_project().location),
    ),
    Check(storage_checks.mlflow, probes.probe_mlflow),
    Check(storage_checks.mlflow_schema, probes.probe_mlflow_schema),
    Check(storage_checks.releases, probes.probe_releases),
    Check(
        environment_checks.artifacts,
        probes.probe_location(storage_probe.write_problem, "artifacts", "MLFLOW_DEFAULT_ARTIFACT_ROOT"),
    ),
    Check(
        environment_checks.landing, probes.probe_location(storage_probe.read_problem, "landing", "ML_ASSETS_LANDING")
    ),
    Check(environment_checks.lake, probes.probe_location(storage_probe.lake_problem, "lake", "ML_ASSETS_LAKE")),
    Check(
        environment_checks.deploy_target,
        probes.probe_location(storage_probe.write_problem, "deploy", "ML_ASSETS_DEPLOY"),
    ),
    Check(environment_checks.notifications, probes.probe_notifications),
    Check(permission_checks.permissions, probes.probe_permissions),
    Check(storage_checks.clock, probes.probe_clocks),
    Check(storage_checks.disk_space, probes.probe_disks),
)
