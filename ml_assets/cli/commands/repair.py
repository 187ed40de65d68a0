"""Repair: apply corrected rows or changed rules, and materialize exactly the days that they change."""

import logging
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from ml_assets.cli.command_inputs import open_model_stages, require_settings, require_spec
from ml_assets.cli.day_selection import select_days
from ml_assets.cli.json_output.reports import RepairedStage, RepairReport
from ml_assets.cli.project import load_definitions
from ml_assets.cli.run_in_process import RunFailed, run_days
from ml_assets.cli.verb import publish
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.day_ranges import group_days
from ml_assets.core.validation.correction_file import RepairRefused
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.asset_names import FEATURES, LABEL_ASSETS, LABELS, QUARANTINED, VALIDATED, landed_to_features
from ml_assets.pipeline.engine.stage import DayOutcome
from ml_assets.pipeline.graph.stages import Stages
from ml_assets.pipeline.planning.backfill_plan import plan_days
from ml_assets.pipeline.planning.repair import (
    check_file,
    corrections_of,
    days_of_changed_rules,
    days_to_validate,
    feature_days_to_make,
    keep_corrections,
    models_that_saw,
)
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.planned_lake import PlannedLake
from ml_assets.resources.storage.landing_access import LandingUnavailable

MATERIALIZED_TOGETHER = {VALIDATED: (VALIDATED, QUARANTINED), LABELS: LABEL_ASSETS[1:]}


class Outcomes(logging.Handler):
    """Collector of the outcome of each day of each stage, from the engine's log; a context manager."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.by_stage: dict[str, list[DayOutcome]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the outcome of a finished day."""
        if (outcome := getattr(record, "outcome", None)) is not None:
            self.by_stage.setdefault(getattr(record, "stage", ""), []).append(outcome)

    def changed(self, stage: str) -> list[date]:
        """List the days of a stage whose rows changed."""
        return sorted(outcome.day for outcome in self.by_stage.get(stage, ()) if outcome.computed)

    def same(self, stage: str) -> list[date]:
        """List the days of a stage that were computed again with the same rows."""
        return sorted(outcome.day for outcome in self.by_stage.get(stage, ()) if "made_again" in outcome.metadata)

    def __enter__(self) -> "Outcomes":
        logger = logging.getLogger("ml_assets.days")
        logger.setLevel(logging.INFO)
        logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("ml_assets.days").removeHandler(self)


def repair_model(model: str | None = None, file: Path | None = None) -> None:
    """Apply corrected rows, or changed code and specification, and print the days that changed.

    Args:
        model: name of the model.
        file: the corrected rows; None to apply changed code and specification.

    Raises:
        SystemExit: with a message, when there is no such model, the file is not valid, the lake does not fit the
            specification, or a run fails.
    """
    spec, settings, console = require_spec(model), require_settings(), Console()
    with Outcomes() as outcomes:
        try:
            if file is None:
                _repair_rules(spec, settings)
            else:
                _repair_rows(spec, settings, file, console)
        except (RepairRefused, RunFailed, LakeError, LandingUnavailable, ValueError, OSError) as error:
            sys.exit(str(error))
    stages = open_model_stages(spec, settings)
    _print_outcomes(console, outcomes, stages)
    repaired = [
        RepairedStage(stage=stage, changed=outcomes.changed(stage), same=outcomes.same(stage))
        for stage in outcomes.by_stage
    ]
    models = models_that_saw(stages, outcomes.changed(FEATURES)) if repaired else []
    publish(RepairReport(model=spec.name, stages=repaired, models_with_changed_inputs=models, not_repaired=[]))


def _repair_rows(spec: ModelSpec, settings: Settings, file: Path, console: Console) -> None:
    """Keep the corrected rows of a file, and materialize the days that use them.

    After an interruption, repeating the command finishes the repair.
    """
    stages = open_model_stages(spec, settings)
    corrections = corrections_of(stages, stages.training.lake)
    try:
        content = file.read_bytes()
    except OSError as error:
        sys.exit(f"{file} cannot be read: {error.strerror}")
    checked = check_file(stages, corrections, file.name, content)
    keep_corrections(corrections, checked)
    console.print(f"New corrected rows: {checked.rows():,}", highlight=False)
    _materialize(spec, settings, VALIDATED, days_to_validate(open_model_stages(spec, settings), checked.days))
    _materialize(spec, settings, FEATURES, feature_days_to_make(open_model_stages(spec, settings), checked.days))


def _repair_rules(spec: ModelSpec, settings: Settings) -> None:
    """Materialize, stage by stage, the days that a change of code or specification affects."""
    lake = PlannedLake(uri=settings.lake, s3=dict(settings.s3))
    stages = open_model_stages(spec, settings, lake)
    days = select_days(spec, None, datetime.now(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1))
    plan = plan_days(spec, lake, [stage for stage in stages if stage.name in landed_to_features(spec)], days)
    for stage, changed in days_of_changed_rules(plan).items():
        _materialize(spec, settings, stage, changed)


def _materialize(spec: ModelSpec, settings: Settings, stage: str, days: Sequence[date]) -> None:
    """Materialize days of a stage through Dagster, one run for each range of consecutive days."""
    if not days:
        return
    from ml_assets.resources.dagster_instance.home import open_instance

    job = load_definitions().resolve_job_def(f"{spec.name}_features")
    names = MATERIALIZED_TOGETHER.get(stage, (stage,))
    with open_instance(settings.dagster_home) as instance:
        for group in group_days((day, None) for day in days):
            run_days(job, instance, spec, names, group.days)


def _print_outcomes(console: Console, outcomes: Outcomes, stages: Stages) -> None:
    if not outcomes.by_stage:
        console.print("Nothing to compute: every day is up to date.")
        return
    for stage in outcomes.by_stage:
        same, changed = outcomes.same(stage), outcomes.changed(stage)
        parts = [
            f"computed {_ranges(changed)}" if changed else "nothing changed",
            *([f"came out the same: {_ranges(same)}"] if same else []),
        ]
        console.print(f"[bold cyan]{stage}[/]  {'; '.join(parts)}", highlight=False, soft_wrap=True)
    if models := models_that_saw(stages, outcomes.changed(FEATURES)):
        console.print(
            f"Models trained on these days, marked inputs_changed: of {_ranges(models)}",
            highlight=False,
            soft_wrap=True,
        )


def _ranges(days: Sequence[date]) -> str:
    groups = group_days((day, None) for day in days)
    texts = [f"{group.days[0]}" if len(group.days) == 1 else f"{group.days[0]} to {group.days[-1]}" for group in groups]
    return ", ".join(texts) + f" ({len(days)} day{'s' if len(days) > 1 else ''})"
