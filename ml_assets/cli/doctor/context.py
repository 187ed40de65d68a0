"""Targets of the doctor's probes: the settings, the code location, dagster.yaml, the instance, an MLflow store."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_assets.cli.doctor.code_location import CodeLocation, load_code_location
from ml_assets.core.operations.failures.damaged_state import DamagedState
from ml_assets.core.operations.failures.error_message import first_line
from ml_assets.defs.environment import build_environment
from ml_assets.defs.settings import Settings
from ml_assets.resources.dagster_instance.home import open_instance, read_settings_file
from ml_assets.resources.databases.uri_secrets import scrub
from ml_assets.resources.probes.instance_probe import find_missing_classes
from ml_assets.resources.probes.mlflow_probe import MlflowStore, probe_mlflow
from ml_assets.resources.probes.state_probe import (
    find_damaged_home,
    find_damaged_lake,
    find_damaged_mlflow,
)
from ml_assets.resources.probes.storage_probe import read_problem
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.open_store import SECONDS_TO_ANSWER, open_objects

if TYPE_CHECKING:
    import dagster as dg


class NotMeasured(Exception):
    """A check does not apply, or an earlier check reports the problem that prevents it."""


class DoctorContext:
    """The targets of the probes, each loaded when the first probe needs it; a context manager, which closes the
    instance.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self.production = settings.is_production
        self.home = Path(settings.dagster_home)
        self._exits = ExitStack()
        self._answers: dict[str, bool] = {}

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
        try:
            return read_settings_file(self.home)
        except DamagedState:
            # The check of damaged state reports it.
            raise NotMeasured from None

    @cached_property
    def instance_or_problem(self) -> "dg.DagsterInstance | str":
        """The opened instance, or the reason why it does not open; raises NotMeasured without a dagster.yaml."""
        _ = self.instance_settings
        try:
            return self._exits.enter_context(open_instance(str(self.home)))
        except DamagedState as damaged:
            return str(damaged)
        except Exception as problem:
            return self.describe(problem)

    @property
    def instance(self) -> "dg.DagsterInstance":
        """The opened instance; raises NotMeasured when it does not open."""
        if isinstance(self.instance_or_problem, str):
            raise NotMeasured
        return self.instance_or_problem

    @cached_property
    def missing_classes(self) -> Sequence[str]:
        """Descriptions of the classes of dagster.yaml that cannot be imported."""
        return find_missing_classes(self.instance)

    @property
    def complete_instance(self) -> "dg.DagsterInstance":
        """The opened instance; raises NotMeasured when it does not open or lacks a class."""
        if self.missing_classes:
            raise NotMeasured
        return self.instance

    @cached_property
    def mlflow(self) -> MlflowStore:
        """The state of MLflow's store."""
        return probe_mlflow(self.settings.mlflow)

    @cached_property
    def damaged_home(self) -> Sequence[str]:
        """Messages about damaged files of the Dagster home."""
        try:
            uses_sqlite = "storage" not in read_settings_file(self.home)
        except DamagedState as damaged:
            return [str(damaged)]
        return find_damaged_home(self.home) if uses_sqlite and self.home.is_dir() else []

    @cached_property
    def damaged_mlflow(self) -> Sequence[str]:
        """Messages about a damaged SQLite store of MLflow."""
        return find_damaged_mlflow(self.settings.mlflow)

    @cached_property
    def damages(self) -> Sequence[str]:
        """Messages about every state file that is damaged or missing."""
        resources = build_environment(self.settings).resources or {}
        models = self.code_location.time_zones if self.code_location.problem is None else ()
        messages = [*self.damaged_home, *self.damaged_mlflow]
        for model in models:
            # The checks of the stores report what cannot be reached.
            if self.answers(self.settings.lake):
                with suppress(Exception):
                    messages += find_damaged_lake(resources["lake"], model)
            if self.answers(self.settings.deploy):
                with suppress(Exception):
                    messages += filter(None, [resources["deploy_target"].damage(model)])
        return messages

    def answers(self, uri: str) -> bool:
        """Return whether a bucket answers soon, as a directory always does; the client of a lake waits for minutes."""
        if uri not in self._answers:
            objects = open_objects(uri, self.settings.s3, SECONDS_TO_ANSWER)
            self._answers[uri] = isinstance(objects, Directory) or read_problem(objects, "") is None
        return self._answers[uri]

    def reports(self, damaged: DamagedState) -> bool:
        """Return whether the check of damaged state reports this damage, so that other checks need not."""
        return str(damaged) in self.damages

    def describe(self, problem: Exception) -> str:
        """Describe an exception and its causes in one line, without credentials."""
        lines: list[str] = []
        cause: BaseException | None = problem
        while cause is not None:
            lines.append(f"{type(cause).__name__}: {first_line(cause)}")
            cause = cause.__cause__
        return scrub("; ".join(lines), self.settings.database, self.settings.mlflow)

    def __enter__(self) -> "DoctorContext":
        return self

    def __exit__(self, *exception: Any) -> None:
        self._exits.close()
