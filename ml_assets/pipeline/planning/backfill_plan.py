"""The plan of a backfill: the days that its runs will compute, with reasons, and the days that they cannot compute.

Nothing is written.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.day_ranges import chunks
from ml_assets.core.tables.fingerprint import CHANGED_INPUT, NEW, fingerprint, why_changed
from ml_assets.pipeline.asset_names import EVALUATION, FEATURES, LABELS, VALIDATED
from ml_assets.pipeline.engine.day_state import is_committed
from ml_assets.pipeline.engine.stage import (
    CannotMake,
    DecidedAlready,
    InputExpired,
    InputMissing,
    KeepDay,
    Stage,
    has_artifacts,
    reports_missing_inputs,
)
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.pipeline.planning.row_estimates import FileChanges, RowCounts, Rows
from ml_assets.pipeline.release.registration_stage import ModelRegistration
from ml_assets.pipeline.training.search_stage import ParameterSearch
from ml_assets.pipeline.training.stage import ModelTraining
from ml_assets.resources.lake.planned_lake import PlannedLake, PlannedTable

MISSING = "missing"
UNLESS_THE_SAME = "unless its inputs come out the same"
UNLESS_SAME_LABELS = "unless its rows' labels come out the same"
UNLESS_GATES_FAIL = "unless a gate is not passed"
UNLESS_BLOCKED = "unless a blocking check of the day fails"
UNLESS = (UNLESS_THE_SAME, UNLESS_SAME_LABELS, UNLESS_GATES_FAIL, UNLESS_BLOCKED)
"""Notes on days that may turn out not to be computed, depending on the days that are computed before them."""


@dataclass(frozen=True)
class PlannedDay:
    """A day that a run will compute.

    reasons: NEW, CHANGED_CODE, CHANGED_SPEC, CHANGED_INPUT, MISSING. inputs: changed input days that the runs make
    before it, by asset. files: landed files that changed. note: what is missing, why the day has no inputs, or the
    condition on which the day is computed. rows: rows to process, None for a stage that reads none. size: bytes of the
    day's landed files.
    """

    day: date
    reasons: tuple[str, ...]
    inputs: Mapping[str, Sequence[date]] = field(default_factory=dict)
    files: FileChanges | None = None
    note: str | None = None
    rows: Rows | None = None
    size: int | None = None


@dataclass(frozen=True)
class StagePlan:
    """The planned days of one stage, ascending.

    cannot: days that cannot be computed, with the reason. failing: the days in `cannot` that fail their run.
    not_reached: days of runs in which an upstream stage fails. kept: days that stay as they are, with the reason.
    """

    name: str
    unchanged: list[date] = field(default_factory=list)
    to_make: list[PlannedDay] = field(default_factory=list)
    cannot: list[tuple[date, str]] = field(default_factory=list)
    failing: list[date] = field(default_factory=list)
    not_reached: list[date] = field(default_factory=list)
    kept: list[tuple[date, str]] = field(default_factory=list)

    def rows(self) -> Rows | None:
        """Return the rows that the stage will process on all days that it makes; None for a stage that reads none."""
        known = [planned.rows for planned in self.to_make if planned.rows is not None]
        return Rows.total(known) if known else None

    def size(self) -> int | None:
        """Return the bytes of landed files that the stage will read; None for a stage that reads none."""
        known = [planned.size for planned in self.to_make if planned.size is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class Plan:
    """The plans of the stages, in order, and the days of each run."""

    stages: list[StagePlan]
    runs: list[list[date]]

    def days_to_make(self, run: Sequence[date]) -> int:
        """Return how many days a run makes, over all stages."""
        days = set(run)
        return sum(planned.day in days for stage in self.stages for planned in stage.to_make)


def plan_days(spec: ModelSpec, lake: PlannedLake, stages: Sequence[Stage], days: Sequence[date]) -> Plan:
    """Plan a backfill of `days`, run by run.

    A fingerprint depends on the fingerprints of the inputs and not on their content, so it is known before a day is
    computed: each stage sees the planned days of upstream stages as if they were computed. A day that is computed again
    may come out the same and keep its fingerprint; downstream days that would then not be computed have a note that
    says so.

    Args:
        spec: the model's specification.
        lake: the planned lake on which the stages were opened; nothing else may use it.
        stages: the stages of the job, in their order.
        days: the days of the backfill, consecutive.

    Raises:
        MlflowUnavailable: when a stage has artifacts in MLflow, and MLflow cannot be reached.
        TypeError: when the stages were opened on another lake.
    """
    upstream = _upstream_assets(spec)
    plan = Plan([StagePlan(stage.name) for stage in stages], chunks(days, spec.backfill.days_per_run))
    counts, planned_days = RowCounts(stages), set()
    for run in plan.runs:
        failed: set[str] = set()
        for stage, stage_plan in zip(stages, plan.stages, strict=True):
            if upstream[stage.name] & failed:
                stage_plan.not_reached.extend(run)
                failed.update(stage.tables)
                continue
            for day in run:
                lake.take_fingerprint_reads()
                try:
                    planned = _plan_day(stage, day, planned_days, lake, counts)
                except DecidedAlready:
                    stage_plan.unchanged.append(day)
                    continue
                except KeepDay as reason:
                    stage_plan.kept.append((day, str(reason)))
                    continue
                except CannotMake as error:
                    if isinstance(error, InputExpired) and is_committed(stage, day):
                        stage_plan.kept.append((day, str(error)))
                        continue
                    stage_plan.cannot.append((day, str(error)))
                    if len(days) > 1 and isinstance(error, InputMissing) and reports_missing_inputs(stage):
                        continue
                    stage_plan.failing.append(day)
                    failed.update(stage.tables)
                    continue
                if planned is None:
                    stage_plan.unchanged.append(day)
                else:
                    stage_plan.to_make.append(planned)
                    planned_days.add((stage.name, day))
    return plan


def _upstream_assets(spec: ModelSpec) -> dict[str, set[str]]:
    """Return the upstream assets of each asset; Dagster skips a step when one of its upstream steps has failed."""
    upstream = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        assets = build_assets(spec)
    for definition in assets:
        parents = {dep.asset_key.path[-1] for asset in definition.specs for dep in asset.deps}
        upstream |= {key.path[-1]: parents for key in definition.keys}
    return upstream


def _plan_day(
    stage: Stage, day: date, planned_days: set[tuple[str, date]], lake: PlannedLake, counts: RowCounts
) -> PlannedDay | None:
    """Return the planned day, and count it as made from now on; None if it is current."""
    table = stage.tables[stage.name]
    if not isinstance(table, PlannedTable):
        raise TypeError(f"{stage.name}: the stages of a plan must be opened on its own lake")
    inputs = stage.inputs(day)
    read = lake.take_fingerprint_reads()
    # Only the files of a delivery show which rows have labels, so every reader counts as changed until the delivery is
    # read.
    deliveries = [
        [asset, input_day]
        for asset, input_day in read
        if asset == LABELS and stage.name != LABELS and (asset, input_day) in planned_days
    ]
    with lake.unchanged_results():
        inputs_if_same = stage.inputs(day) if planned_days.intersection(read) else inputs
        expected_if_same = fingerprint(stage.code, stage.spec_part, inputs_if_same)
    lake.take_fingerprint_reads()
    expected = fingerprint(stage.code, stage.spec_part, [*inputs, *deliveries])
    changes_anyway = not table.holds(day, expected_if_same)
    if table.holds(day, expected):
        if not changes_anyway:
            if has_artifacts(stage, day):
                return None
            return PlannedDay(day, (MISSING,), note=_missing_artifact_note(stage, day))
        expected, changes_anyway = expected_if_same, False
    reasons = why_changed(table.input_fingerprint(day), expected)
    table.assume_fingerprint(day, expected)
    if isinstance(stage, Ingestion):
        return _planned_ingestion(stage, day, inputs, reasons, counts)
    changed: dict[str, list[date]] = {}
    if CHANGED_INPUT in reasons:
        for asset, input_day in read:
            if (asset, input_day) in planned_days:
                changed.setdefault(asset, []).append(input_day)
    note = _note(stage, day, inputs, changed, planned_days, changes_anyway)
    return PlannedDay(day, reasons, changed, note=note, rows=counts.estimate_derived(stage, day, read))


def _planned_ingestion(
    stage: Ingestion, day: date, inputs: Sequence[object], reasons: tuple[str, ...], counts: RowCounts
) -> PlannedDay:
    rows, files = counts.estimate_landed(stage, day, reasons)
    size = sum(size for _, _, size in stage.inputs(day))
    if inputs:
        return PlannedDay(day, reasons, files=files, rows=rows, size=size)
    reasons = (*(reason for reason in reasons if reason != NEW), MISSING)
    note = "no files have landed: published empty and reported"
    return PlannedDay(day, reasons, files=files, note=note, rows=rows, size=size)


def _note(
    stage: Stage,
    day: date,
    inputs: Sequence[object],
    changed: Mapping[str, Sequence[date]],
    planned_days: set[tuple[str, date]],
    changes_anyway: bool,
) -> str | None:
    """Return why a day has no inputs, or the condition on which it is computed; None if neither applies."""
    # If a day has no inputs, its stage returns the reason instead of them.
    reason = next((part for part in inputs if isinstance(part, str)), None)
    if isinstance(stage, ModelRegistration) and (EVALUATION, day) in planned_days:
        return reason or UNLESS_GATES_FAIL
    reads_planned_day = bool({(VALIDATED, day), (FEATURES, day)} & planned_days)
    if isinstance(stage, ModelTraining | ParameterSearch) and stage.gate.is_on and reads_planned_day:
        return UNLESS_BLOCKED
    if reason is not None:
        return reason
    if changes_anyway:
        return None
    return UNLESS_SAME_LABELS if set(changed) == {LABELS} else UNLESS_THE_SAME


def _missing_artifact_note(stage: Stage, day: date) -> str:
    entry = stage.entry(day) if isinstance(stage, ModelRegistration) else None
    if entry:
        return f"MLflow no longer has version {entry['version']}"
    return f"the artifacts of {stage.name} outside its tables are gone"
