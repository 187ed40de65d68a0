"""Targets of the doctor's probes: the settings, the code location, dagster.yaml, the instance, an MLflow store."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ml_assets.core.model_spec.defs_yaml.model_files import find_model_files
from ml_assets.definitions import DEFS, defs
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.code_location.broken_model import problems_of
from ml_assets.resources.databases.uri_secrets import scrub
from ml_assets.resources.probes.instance_probe import list_pools
from ml_assets.resources.probes.mlflow_probe import MlflowStore, probe_mlflow

if TYPE_CHECKING:
    import dagster as dg


class NotMeasured(Exception):
    """A check does not apply, or an earlier check reports the problem that prevents it."""


@dataclass(frozen=True)
class CodeLocation:
    """The definitions, or the problem when they do not load.

    pools: the assets of each pool. automation: for each schedule and sensor, whether it is declared on. time_zones: the
    time zone of each model. broken: file, line and reason of each model that does not load.
    """

    problem: str | None = None
    pools: Mapping[str, list[str]] = field(default_factory=dict)
    automation: Mapping[str, bool] = field(default_factory=dict)
    time_zones: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)


class DoctorContext:
    """The targets of the probes, each loaded when the first probe needs it; a context manager, which closes the
    instance.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self.production = settings.is_production
        self.home = Path(settings.dagster_home)
        self._exits = ExitStack()

    @cached_property
    def code_location(self) -> CodeLocation:
        """The definitions of this project, or the problem when they do not load."""
        return load_code_location()

    @property
    def definitions(self) -> CodeLocation:
        """The definitions of this project; raises NotMeasured when they do not load."""
        if self.code_location.problem is not None:
            raise NotMeasured
        return self.code_location

    @cached_property
    def instance_settings(self) -> Mapping[str, Any]:
        """Content of dagster.yaml; raises NotMeasured when DAGSTER_HOME does not name one."""
        file = self.home / "dagster.yaml"
        if not (self.settings.dagster_home_is_stated and self.home.is_absolute() and file.is_file()):
            raise NotMeasured
        return yaml.safe_load(file.read_text()) or {}

    @cached_property
    def instance_or_problem(self) -> "dg.DagsterInstance | str":
        """The opened instance, or the reason why it does not open; raises NotMeasured without a dagster.yaml."""
        import dagster as dg

        _ = self.instance_settings
        try:
            return self._exits.enter_context(dg.DagsterInstance.from_config(str(self.home)))
        except Exception as problem:
            return self.describe(problem)

    @property
    def instance(self) -> "dg.DagsterInstance":
        """The opened instance; raises NotMeasured when it does not open."""
        if isinstance(self.instance_or_problem, str):
            raise NotMeasured
        return self.instance_or_problem

    @cached_property
    def mlflow(self) -> MlflowStore:
        """The state of MLflow's store."""
        return probe_mlflow(self.settings.mlflow)

    def describe(self, problem: Exception) -> str:
        """Describe an exception and its causes in one line, without credentials."""
        lines: list[str] = []
        cause: BaseException | None = problem
        while cause is not None:
            lines.append(f"{type(cause).__name__}: {_first_line(getattr(cause, 'orig', cause))}")
            cause = cause.__cause__
        return scrub("; ".join(lines), self.settings.database, self.settings.mlflow)

    def __enter__(self) -> "DoctorContext":
        return self

    def __exit__(self, *exception: Any) -> None:
        self._exits.close()


def load_code_location() -> CodeLocation:
    """Load the definitions of this project."""
    import dagster as dg

    try:
        repository = defs().get_repository_def()
        specs = [file.spec for file in find_model_files(DEFS) if file.spec is not None]
    except Exception as problem:
        return CodeLocation(f"the definitions do not load: {type(problem).__name__}: {_first_line(problem)}")
    running = (dg.DefaultScheduleStatus.RUNNING, dg.DefaultSensorStatus.RUNNING)
    automation = {
        definition.name: definition.default_status in running
        for definition in (*repository.schedule_defs, *repository.sensor_defs)
    }
    pools = list_pools(set(repository.assets_defs_by_key.values()))
    time_zones = {spec.name: spec.source.time_zone for spec in specs}
    return CodeLocation(None, pools, automation, time_zones, problems_of(repository))


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0]
