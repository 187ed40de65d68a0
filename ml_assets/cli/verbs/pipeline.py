"""Verbs that make days and models: run, plan, repair, quarantine."""

from datetime import datetime
from pathlib import Path

import click

from ml_assets.cli.verb import Verb, wants_json
from ml_assets.cli.verbs.parameters import days_option, model_argument


@click.command(
    cls=Verb,
    examples=["run", "run fraud_detection --day 2026-11-20", "run --train", "run --json > run.json"],
    report="RunReport",
)
@model_argument
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The day as of which the model is made; the newest landed day when left out.",
)
@click.option("--train", is_flag=True, help="Train a model of the day even if none is due (training.every).")
def run(model: str | None, day: datetime | None, train: bool) -> None:
    """Materialize everything that the model of the newest landed day needs.

    MODEL may be left out where the project has one model.
    """
    from ml_assets.cli.commands.run import run_model

    run_model(model, day.date() if day else None, train)


@click.command(
    cls=Verb,
    examples=["plan", "plan fraud_detection --days 2026-10-01...2026-10-14", "plan --job features --json"],
    report="PlanReport",
)
@model_argument
@days_option
@click.option(
    "--job",
    type=click.Choice(["daily", "features"]),
    default="daily",
    show_default=True,
    help="Every stage (daily), or raw data to features.",
)
def plan(model: str | None, days: str | None, job: str) -> None:
    """Print the days that a backfill would materialize, and why; change nothing."""
    from ml_assets.cli.commands.plan import print_backfill_plan

    print_backfill_plan(model, days, job)


@click.command(
    cls=Verb,
    examples=["quarantine --out to_correct.csv", "quarantine fraud_detection --days 2026-10-01 --out to_correct.csv"],
    report="QuarantineReport",
)
@model_argument
@days_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Standard output when left out.",
)
def quarantine(model: str | None, days: str | None, out: Path | None) -> None:
    """Write the quarantined rows as CSV, to be corrected."""
    from ml_assets.cli.commands.quarantine import export_quarantine

    if out is None and wants_json():
        raise click.UsageError("--json needs --out: standard output cannot get both the rows and the figures")
    export_quarantine(model, days, out)


@click.command(
    cls=Verb,
    examples=["repair", "repair fraud_detection --file corrected.csv", "repair --damaged"],
    report="RepairReport",
)
@model_argument
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Corrected rows (.csv, .jsonl, .parquet); without it, changed code and specification are applied.",
)
@click.option("--damaged", is_flag=True, help="Read all tables, and make the days whose files are damaged again.")
def repair(model: str | None, file: Path | None, damaged: bool) -> None:
    """Apply corrected rows or changed rules, and materialize the days that they change; or make damaged days again."""
    if file is not None and damaged:
        raise click.UsageError("--file and --damaged are two repairs: run one after the other")
    if damaged:
        from ml_assets.cli.commands.repair_damaged import repair_damaged_days

        repair_damaged_days(model)
        return
    from ml_assets.cli.commands.repair import repair_model

    repair_model(model, file)
