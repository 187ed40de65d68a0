"""Verbs for developers of the repository of ml_assets: audit, docs, bench, simulate."""

from datetime import date, datetime
from pathlib import Path
from typing import cast

import click

from ml_assets.cli.verb import Verb


@click.command(cls=Verb, examples=["audit", "audit constraints.txt --json"], report="AuditReport")
@click.argument("constraints", type=click.Path(path_type=Path), required=False)
def audit(constraints: Path | None) -> None:
    """Look up every pinned dependency in the advisory database."""
    from ml_assets.cli.repository.audit import audit_pins

    audit_pins(constraints)


@click.command(cls=Verb, examples=["docs"])
@click.pass_context
def docs(context: click.Context) -> None:
    """Write the documents and files that are generated from the code."""
    from ml_assets.cli.repository.docs import write_documents

    write_documents(cast("click.Group", context.find_root().command))


@click.command(
    cls=Verb,
    examples=["bench", "bench --only days,newday --quick"],
    context_settings={"ignore_unknown_options": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[OPTION]...")
def bench(arguments: tuple[str, ...]) -> None:
    """Measure the pipeline against plain functions and plain Dagster, with the options of `python -m benchmarks`."""
    from ml_assets.cli.repository.bench import run_benchmarks

    run_benchmarks(arguments)


@click.command(cls=Verb, examples=["simulate", "simulate --days 30 --start 2026-12-01"])
@click.option(
    "--days",
    type=click.IntRange(min=0),
    help="90 when left out; without --start more, if needed to reach the week before today.",
)
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="The first day; source.start when left out."
)
def simulate(days: int | None, start: datetime | None) -> None:
    """Write simulated card transactions into the landing of fraud_detection, the demonstration of the repository.

    The days keep their dates: landed ones are written again with the same rows, newer ones are added.
    """
    from ml_assets.cli.demo.landing import simulate_landing

    first: date | None = start.date() if start else None
    simulate_landing(days, first)
