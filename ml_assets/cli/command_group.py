"""The command group `ml-assets`: its verbs with their arguments and options.

Each verb imports its own command when it is called, so that `--help` and shell completion load neither Dagster nor
pandas.
"""

from datetime import date, datetime
from pathlib import Path

import click

from ml_assets.cli.faults import ReportingGroup
from ml_assets.cli.limit_options import limit_options, limits_of

DEFAULT_MODEL = "fraud_detection"

model_argument = click.argument("model")
model_argument_with_default = click.argument("model", default=DEFAULT_MODEL)
days_option = click.option(
    "--days",
    metavar="FIRST...LAST",
    help="A range such as 2026-08-15...2026-09-01, or one day; all days when left out.",
)
version_option = click.option("--version", type=int, metavar="NUMBER", help="The version in the model registry.")
reason_option = click.option("--reason", metavar="TEXT", help="The reason, for those who read the release ledger.")
actor_option = click.option("--actor", metavar="NAME", help="Who releases; user and host when left out.")


@click.group(cls=ReportingGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def cli() -> None:
    """Turn daily files into a validated, evaluated and registered model."""


@cli.command()
@model_argument_with_default
def run(model: str) -> None:
    """Materialize everything that the model of the newest landed day needs."""
    from ml_assets.cli.commands.run import run_model

    run_model(model)


@cli.command()
@model_argument
@days_option
@click.option(
    "--job",
    type=click.Choice(["daily", "features"]),
    default="daily",
    show_default=True,
    help="Every stage (daily), or raw data to features.",
)
def plan(model: str, days: str | None, job: str) -> None:
    """Print the days that a backfill would materialize, and why; change nothing."""
    from ml_assets.cli.commands.plan import print_backfill_plan

    print_backfill_plan(model, days, job)


@cli.command()
@model_argument
@days_option
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.csv", help="Standard output when left out.")
def quarantine(model: str, days: str | None, out: Path | None) -> None:
    """Write the quarantined rows as CSV, to be corrected."""
    from ml_assets.cli.commands.quarantine import export_quarantine

    export_quarantine(model, days, out)


@cli.command()
@model_argument
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="Corrected rows (.csv, .jsonl, .parquet); without it, changed code and specification are applied.",
)
@click.option("--damaged", is_flag=True, help="Read all tables, and make the days whose files are damaged again.")
def repair(model: str, file: Path | None, damaged: bool) -> None:
    """Apply corrected rows or changed rules, and materialize the days that they change; or make damaged days again."""
    if file is not None and damaged:
        raise click.UsageError("--file and --damaged are two repairs: run one after the other")
    if damaged:
        from ml_assets.cli.commands.repair_damaged import repair_damaged_days

        repair_damaged_days(model)
        return
    from ml_assets.cli.commands.repair import repair_model

    repair_model(model, file)


@cli.command()
@model_argument
def releases(model: str) -> None:
    """Print the live versions and every release that led to them."""
    from ml_assets.cli.commands.release import show_releases

    show_releases(model)


@cli.command()
@model_argument_with_default
def restore(model: str) -> None:
    """Restore what somebody removed from MLflow, the lake or the deploy target."""
    from ml_assets.cli.commands.release import restore_model

    restore_model(model)


@cli.command()
@model_argument
@reason_option
@actor_option
def rollback(model: str, reason: str | None, actor: str | None) -> None:
    """Withdraw the canary, or without one restore the previous champion."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "rollback", None, reason, actor)


@cli.command()
@model_argument
@reason_option
@actor_option
def pause(model: str, reason: str | None, actor: str | None) -> None:
    """Stop automatic decisions on releases."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "pause", None, reason, actor)


@cli.command()
@model_argument
@reason_option
@actor_option
def resume(model: str, reason: str | None, actor: str | None) -> None:
    """Allow automatic decisions on releases again."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "resume", None, reason, actor)


@cli.command()
@model_argument
@version_option
@reason_option
@actor_option
def canary(model: str, version: int | None, reason: str | None, actor: str | None) -> None:
    """Make a version the canary, at the first step."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "canary", version, reason, actor)


@cli.command()
@model_argument
@version_option
@reason_option
@actor_option
def promote(model: str, version: int | None, reason: str | None, actor: str | None) -> None:
    """Make a version the champion at once."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "promote", version, reason, actor)


@cli.group(invoke_without_command=True)
@click.pass_context
def notifications(context: click.Context) -> None:
    """Print the notifications of all models, open ones first."""
    from ml_assets.cli.commands.notifications import list_notifications

    if context.invoked_subcommand is None:
        list_notifications()


@notifications.command()
def test() -> None:
    """Send a message to every target of ML_ASSETS_NOTIFY, and print whether it was accepted."""
    from ml_assets.cli.commands.notifications import send_test_message

    send_test_message()


@cli.command()
@model_argument_with_default
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=int, default=8000, show_default=True)
@limit_options
def serve(model: str, host: str, port: int, **limits: float) -> None:
    """Serve the scores of a model over HTTP."""
    from ml_assets.cli.commands.serve import serve_model

    serve_model(model, host, port, limits_of(limits))


@cli.command()
@model_argument_with_default
@click.option("--champion", is_flag=True, help="The champion, even while a canary is live.")
@click.option(
    "--service-account", metavar="NAME", help="The account whose secret gives access to the bucket of the artifacts."
)
def kserve(model: str, champion: bool, service_account: str | None) -> None:
    """Print the KServe manifest of the live version."""
    from ml_assets.cli.commands.kserve import print_manifest

    print_manifest(model, champion, service_account)


@cli.command()
@click.option("--scrub", is_flag=True, help="Read every file of lake, deploy target and MLflow, and print the damaged.")
def doctor(scrub: bool) -> None:
    """Check the instance in DAGSTER_HOME and the environment, and print a remedy for each problem."""
    if scrub:
        from ml_assets.cli.commands.scrub import scrub_everything

        scrub_everything()
        return
    from ml_assets.cli.commands.doctor import run_doctor

    run_doctor()


@cli.command()
@click.argument("constraints", type=click.Path(path_type=Path), required=False)
def audit(constraints: Path | None) -> None:
    """Look up every pinned dependency in the advisory database."""
    from ml_assets.cli.commands.audit import audit_pins

    audit_pins(constraints)


@cli.command()
def docs() -> None:
    """Write the documents and files that are generated from the code."""
    from ml_assets.cli.commands.docs import write_documents

    write_documents()


@cli.command()
@click.option("--days", type=click.IntRange(min=0), default=90, show_default=True)
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="The first day; source.start when left out."
)
def simulate(days: int, start: datetime | None) -> None:
    """Write simulated card transactions into the landing of fraud_detection."""
    from ml_assets.cli.commands.simulate import simulate_landing

    first: date | None = start.date() if start else None
    simulate_landing(days, first)
