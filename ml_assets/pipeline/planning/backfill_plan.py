"""The plan of a backfill: which days of which stages its runs will make, why each, and which they cannot; nothing is
written.
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
from ml_assets.pipeline.engine.stage import CannotMake, DecidedAlready, InputExpired, KeepDay, Stage, has_artifacts
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.pipeline.planning.row_estimates import FileChanges, RowCounts, Rows
from ml_assets.pipeline.release.registration_stage import ModelRegistration
from ml_assets.pipeline.training.search_stage import ParameterSearch
from ml_assets.pipeline.training.stage import ModelTraining
from ml_assets.resources.lake.planned_lake import PlannedLake, PlannedTable

MISSING = "missing"
UNLESS_THE_SAME, UNLESS_SAME_LABELS = "unless its inputs come out the same", "unless its rows' labels come out the same"
UNLESS_GATES_FAIL, UNLESS_BLOCKED = "unless a gate is not passed", "unless a blocking check of the day fails"
UNLESS = (UNLESS_THE_SAME, UNLESS_SAME_LABELS, UNLESS_GATES_FAIL, UNLESS_BLOCKED)
"""Notes of days of which only what is made before them decides whether they are made."""


@dataclass(frozen=True)
class PlannedDay:
    """A day that a run will make.

    reasons: NEW, CHANGED_CODE, CHANGED_SPEC, CHANGED_INPUT, MISSING. inputs: days by asset that the runs make before
    and that are a changed input. files: landed files that changed. note: what is missing, or why the day has nothing to
    be made from. rows: rows to work through, None for a stage that reads none. size: bytes of the day's landed files.
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
    """What the runs will do with the days of a stage; ascending. cannot: days that cannot be made, with the reason.
    not_reached: days of runs in which a stage before this one fails. kept: days that stay as they are, with the reason.
    """

    name: str
    unchanged: list[date] = field(default_factory=list)
    to_make: list[PlannedDay] = field(default_factory=list)
    cannot: list[tuple[date, str]] = field(default_factory=list)
    not_reached: list[date] = field(default_factory=list)
    kept: list[tuple[date, str]] = field(default_factory=list)

    def rows(self) -> Rows | None:
        """Rows that the stage will work through, over all days that it makes; None for a stage that reads none."""
        known = [planned.rows for planned in self.to_make if planned.rows is not None]
        return Rows.total(known) if known else None

    def size(self) -> int | None:
        """Bytes of landed files that the stage will read; None for a stage that reads none."""
        known = [planned.size for planned in self.to_make if planned.size is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class Plan:
    """The stages in their order, and the days of each run."""

    stages: list[StagePlan]
    runs: list[list[date]]

    def days_to_make(self, run: Sequence[date]) -> int:
        """How many days of all stages a run makes."""
        days = set(run)
        return sum(planned.day in days for stage in self.stages for planned in stage.to_make)


def plan_days(spec: ModelSpec, lake: PlannedLake, stages: Sequence[Stage], days: Sequence[date]) -> Plan:
    """What a backfill of `days` will do, its runs one after the other.

    A fingerprint depends on the fingerprints of inputs and not on what is in them, so that of each day is known before
    anything is made: each stage sees the days that the stages before it will make as if they were made. A day that was
    there before may come out the same and keep its fingerprint; what is made only when it does not has a note that says
    so.

    Args:
        spec: the model's specification.
        lake: the lake on which the stages were opened, and nothing else.
        stages: the stages of the job, in their order.
        days: the days of the backfill, following each other.

    Raises:
        MlflowUnavailable: when a stage keeps something in MLflow that cannot be asked.
    """
    before = _assets_before(spec)
    plan = Plan([StagePlan(stage.name) for stage in stages], chunks(days, spec.backfill.days_per_run))
    counts, supposed = RowCounts(stages), set()
    for run in plan.runs:
        failed: set[str] = set()
        for stage, of_stage in zip(stages, plan.stages, strict=True):
            if before[stage.name] & failed:
                of_stage.not_reached.extend(run)
                failed.update(stage.tables)
                continue
            for day in run:
                lake.take_asked()
                try:
                    planned = _look(stage, day, supposed, lake, counts)
                except DecidedAlready:
                    of_stage.unchanged.append(day)
                    continue
                except KeepDay as reason:
                    of_stage.kept.append((day, str(reason)))
                    continue
                except CannotMake as error:
                    if isinstance(error, InputExpired) and is_committed(stage, day):
                        of_stage.kept.append((day, str(error)))
                        continue
                    of_stage.cannot.append((day, str(error)))
                    failed.update(stage.tables)
                    continue
                if planned is None:
                    of_stage.unchanged.append(day)
                else:
                    of_stage.to_make.append(planned)
                    supposed.add((stage.name, day))
    return plan


def _assets_before(spec: ModelSpec) -> dict[str, set[str]]:
    """The assets that each asset is made from: a step is not run when one that makes these has failed."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        assets = build_assets(spec)
    for made in assets:
        parents = {dep.asset_key.path[-1] for asset in made.specs for dep in asset.deps}
        found |= {key.path[-1]: parents for key in made.keys}
    return found


def _look(
    stage: Stage, day: date, supposed: set[tuple[str, date]], lake: PlannedLake, counts: RowCounts
) -> PlannedDay | None:
    """The day as it will be made, and supposed to be made from now on; None when it is as it would be made."""
    table = stage.tables[stage.name]
    if not isinstance(table, PlannedTable):
        raise TypeError(f"{stage.name}: the stages of a plan must be opened on its own lake")
    inputs = stage.inputs(day)
    read = lake.take_asked()
    # Which labels a delivery brings is known only when its files are read; until then whatever reads it counts as
    # changed.
    deliveries = [
        [asset, used] for asset, used in read if asset == LABELS and stage.name != LABELS and (asset, used) in supposed
    ]
    with lake.made_the_same():
        expected_if_same = fingerprint(
            stage.code, stage.spec_part, stage.inputs(day) if supposed & set(read) else inputs
        )
    lake.take_asked()
    expected = fingerprint(stage.code, stage.spec_part, [*inputs, *deliveries])
    changed_anyway = not table.holds(day, expected_if_same)
    if table.holds(day, expected):
        if not changed_anyway:
            return None if has_artifacts(stage, day) else PlannedDay(day, (MISSING,), note=_what_is_gone(stage, day))
        expected, changed_anyway = expected_if_same, False
    reasons = why_changed(table.input_fingerprint(day), expected)
    table.suppose(day, expected)
    if isinstance(stage, Ingestion):
        rows, files = counts.of_landed(stage, day, reasons)
        size = sum(size for _, _, size in stage.inputs(day))
        if inputs:
            return PlannedDay(day, reasons, files=files, rows=rows, size=size)
        empty = (*(reason for reason in reasons if reason != NEW), MISSING)
        return PlannedDay(
            day, empty, files=files, note="no files have landed: published empty and reported", rows=rows, size=size
        )
    changed: dict[str, list[date]] = {}
    if CHANGED_INPUT in reasons:
        for asset, used in read:
            if (asset, used) in supposed:
                changed.setdefault(asset, []).append(used)
    nothing = next((part for part in inputs if isinstance(part, str)), None)
    unless = None if changed_anyway else UNLESS_SAME_LABELS if set(changed) == {LABELS} else UNLESS_THE_SAME
    note = nothing or unless
    if (
        isinstance(stage, ModelTraining | ParameterSearch)
        and stage.gate.is_on
        and {(VALIDATED, day), (FEATURES, day)} & supposed
    ):
        note = UNLESS_BLOCKED
    if isinstance(stage, ModelRegistration) and (EVALUATION, day) in supposed:
        note = UNLESS_GATES_FAIL
    return PlannedDay(day, reasons, changed, note=note, rows=counts.of_derived(stage, day, read))


def _what_is_gone(stage: Stage, day: date) -> str:
    entry = stage.entry(day) if isinstance(stage, ModelRegistration) else None
    return (
        f"MLflow no longer has version {entry['version']}"
        if entry
        else f"what {stage.name} keeps outside of the lake is gone"
    )
