"""Repair of damage: read every file of the lake that a stage wrote, and make the damaged days again."""

import sys
from collections.abc import Sequence
from datetime import date

from rich.console import Console

from ml_assets.cli.command_inputs import open_model_stages, require_settings, require_spec
from ml_assets.cli.json_output.reports import RepairedStage, RepairReport
from ml_assets.cli.project import load_definitions
from ml_assets.cli.run_in_process import RunFailed, run_days
from ml_assets.cli.verb import publish
from ml_assets.core.model_spec import ModelSpec
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.asset_names import LABEL_ASSETS, LABELS, QUARANTINED, VALIDATED
from ml_assets.pipeline.engine.stage import Stage
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.resources.lake.errors import DamagedDay, LakeError
from ml_assets.resources.storage.landing_access import LandingUnavailable

MATERIALIZED_TOGETHER = {VALIDATED: (VALIDATED, QUARANTINED), LABELS: LABEL_ASSETS[1:]}


def repair_damaged_days(model: str | None = None) -> None:
    """Make every damaged day again from its inputs, stage by stage, and print the outcome.

    The rows come out the same, so nothing downstream changes. If the inputs of a day are gone, it stays damaged, and
    what is lost is printed.

    Args:
        model: name of the model.

    Raises:
        SystemExit: with a message, when there is no such model, or the lake or the landing cannot be used; with status
            1 after the report, when a day stays damaged.
    """
    spec, settings, console = require_spec(model), require_settings(), Console()
    try:
        repaired, problems = _repair(spec, settings, console)
    except (LakeError, LandingUnavailable, OSError) as error:
        sys.exit(str(error))
    if not repaired and not problems:
        console.print(f"Nothing is damaged in the tables of {spec.name}.")
    for problem in problems:
        console.print(f"[bold red]not repaired[/]  {problem}", highlight=False, soft_wrap=True)
    stages = [RepairedStage(stage=name, changed=[], same=days) for name, days in repaired.items()]
    publish(RepairReport(model=spec.name, stages=stages, models_with_changed_inputs=[], not_repaired=problems))
    if problems:
        sys.exit(1)


def _repair(spec: ModelSpec, settings: Settings, console: Console) -> tuple[dict[str, list[date]], list[str]]:
    import dagster as dg

    repaired: dict[str, list[date]] = {}
    problems: list[str] = []
    with dg.DagsterInstance.from_config(settings.dagster_home) as instance:
        for position, name in enumerate([stage.name for stage in open_model_stages(spec, settings)]):
            # Earlier stages may have been repaired since the list was read.
            stage = list(open_model_stages(spec, settings))[position]
            for day, damage in damaged_days(stage).items():
                if isinstance(stage, Ingestion) and not stage.landing.has_files(stage.feed.source, day):
                    problems.append(_lost(stage, day, damage, settings))
                    continue
                failure = None
                try:
                    job = load_definitions().resolve_job_def(f"{spec.name}_daily")
                    run_days(job, instance, spec, MATERIALIZED_TOGETHER.get(name, (name,)), [day])
                except RunFailed as error:
                    failure = error
                remaining = damaged_days(list(open_model_stages(spec, settings))[position], [day])
                if remaining:
                    problems.append(f"{remaining[day]} {failure or _why_kept(stage, day)}".strip())
                    continue
                repaired.setdefault(name, []).append(day)
                console.print(
                    f"[bold cyan]{name}[/]  recomputed {day}: {damage.path} was {damage.reason}", soft_wrap=True
                )
    try:
        open_model_stages(spec, settings).deployment.ledger.rows()
    except LakeError as error:
        problems.append(str(error))
    return repaired, problems


def damaged_days(stage: Stage, days: Sequence[date] | None = None) -> dict[date, DamagedDay]:
    """Read the rows of days in all tables of a stage; return the first damage of each damaged day, in order.

    Args:
        stage: the stage.
        days: the days; all that have files by default.
    """
    damages: dict[date, DamagedDay] = {}
    for table in stage.tables.values():
        for day in table.days() if days is None else days:
            if (damage := table.damage(day)) is not None:
                damages.setdefault(day, damage)
    return dict(sorted(damages.items()))


def _lost(stage: Ingestion, day: date, damage: DamagedDay, settings: Settings) -> str:
    return (
        f"{damage.asset} of {day}: {damage.path} is {damage.reason}, and the files of {day} that it was made from are "
        f"not under {settings.landing} any more ({stage.feed.source.files}). Put them there again, or restore "
        f"{damage.path} from the versions of the bucket or a backup of the lake (docs/how-to/backup.md); else the raw "
        "rows of the day are lost. Validated rows and features of the day stay as they are."
    )


def _why_kept(stage: Stage, day: date) -> str:
    """Return why a day was not made again."""
    from ml_assets.pipeline.engine.stage import CannotMake, KeepDay

    try:
        stage.inputs(day)
    except (KeepDay, CannotMake, LakeError) as reason:
        return f"It was not made again: {reason}"
    return ""
