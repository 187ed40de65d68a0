"""A stage of a model as a Dagster step: its assets and checks, and what it adds to each day's metadata and report."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.engine.day_fingerprints import day_fingerprints
from ml_assets.pipeline.engine.run_guard import RunGuard
from ml_assets.pipeline.engine.stage import Stage
from ml_assets.pipeline.steps.check_results import CheckRun
from ml_assets.pipeline.steps.kept_checks import Inputs

if TYPE_CHECKING:
    from ml_assets.core.operations.reports.daily_report import Part

StageT = TypeVar("StageT", bound=Stage)


class StageStep(ABC, Generic[StageT]):
    """One stage of a model as a step; each stage has a subclass with its specifics."""

    resources: frozenset[str] = frozenset()
    """Keys of the resources that the step needs in addition to lake and landing."""

    config: ClassVar[type[dg.Config] | None] = None
    """Run config of the step."""

    is_reported: ClassVar[bool] = True
    """Whether the stage has a part in the daily report."""

    check_modules: ClassVar[Sequence[str]] = ()
    """Dotted names of the modules that evaluate the checks; a change of one evaluates the checks again."""

    def __init__(self, spec: ModelSpec):
        self.spec = spec

    @property
    @abstractmethod
    def asset_specs(self) -> Sequence[dg.AssetSpec]:
        """The assets of the stage, the main one first; the last parts of their keys are names of the stage's tables."""

    @property
    def check_specs(self) -> Sequence[dg.AssetCheckSpec]:
        """The checks of the assets."""
        return ()

    @abstractmethod
    def build(self, context: dg.AssetExecutionContext) -> StageT:
        """Build the stage, which publishes nothing outside of the lake."""

    @contextmanager
    def open(self, context: dg.AssetExecutionContext, guard: RunGuard) -> Iterator[StageT]:
        """Open the stage for a run, and release its resources when the run of the step ends.

        A stage that publishes outside of the lake checks `guard` before it does.
        """
        yield self.build(context)

    def problem(self, stage: StageT, day: date) -> str | None:
        """Return the problem of a day in the lake that was not computed now; None if it has none."""
        return None

    def metadata(self, stage: StageT, day: date) -> Mapping[str, Any]:
        """Metadata of the main asset on a day."""
        return {}

    def newest_metadata(self, stage: StageT, day: date) -> Mapping[str, Any]:
        """Further metadata of the main asset on the newest day of a run: plots and lineage."""
        return {}

    def evaluate_checks(self, stage: StageT, days: Sequence[date], newest: date) -> Iterator[CheckRun]:
        """Evaluate the checks on some days of a run, of which `newest` is the newest.

        An outcome depends on nothing but the specification, the code and `check_inputs`, so that it can be kept.
        """
        return iter(())

    def check_inputs(self, stage: StageT, day: date) -> Inputs:
        """List the fingerprints of everything in the lake that the checks of a day read, and that its report shows."""
        return day_fingerprints(stage.tables.values(), [day]) if stage.tables[stage.name].is_committed(day) else None

    def complete_checks(
        self, stage: StageT, days: Sequence[date], evaluated: Sequence[date], runs: Sequence[CheckRun]
    ) -> list[CheckRun]:
        """Add to the checks of a run results that depend on all of its days, or on more than the lake, and are never
        kept.

        Args:
            stage: the stage.
            days: all days of the run, ascending.
            evaluated: the days whose checks were evaluated in this run.
            runs: the checks on all days of the run.
        """
        return list(runs)

    def days_read_by_checks(self, stage: StageT, day: date) -> Sequence[date]:
        """List the days whose rows the checks of a day read, in windows or as a reference. When a check fails, it names
        those days that failed checks of their own.
        """
        return ()

    def report_parts(self, stage: StageT, days: Sequence[date]) -> "Iterator[Part]":
        """The parts that the stage adds to the daily reports."""
        return iter(())

    def after_days(
        self, context: dg.AssetExecutionContext, stage: StageT, days: Sequence[date], changed: Sequence[date]
    ) -> None:
        """Do the work that follows when the days of a run are computed.

        Args:
            context: the execution context of the run.
            stage: the stage.
            days: all days of the run.
            changed: the days that were computed now, that belong to an unfinished run, or whose checks were evaluated
                again.
        """
        return None
