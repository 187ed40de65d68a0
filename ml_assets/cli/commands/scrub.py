"""The scrub: read every file that can be verified, and print each damaged one with its remedy."""

import logging
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ml_assets.cli.command_inputs import require_settings
from ml_assets.cli.json_output.reports import DamageReport, DoctorReport
from ml_assets.cli.verb import publish
from ml_assets.core.counts import count
from ml_assets.defs.environment import build_environment
from ml_assets.defs.settings import Settings
from ml_assets.resources.mlflow.connection import MlflowUnavailable
from ml_assets.resources.release.ledger import LEDGER
from ml_assets.resources.scrub.damage import Damage
from ml_assets.resources.scrub.models import scrub_deploy_target, scrub_lake_models, scrub_registered_models
from ml_assets.resources.scrub.tables import list_tables, scrub_newest_release, scrub_table


def scrub_everything() -> None:
    """Read lake, deploy target and MLflow, one file at a time, and print the damaged files; change nothing.

    Raises:
        SystemExit: with status 1, when something is damaged, or could not be read.
    """
    logging.disable(logging.WARNING)
    settings, console = require_settings(), Console()
    read, damages = 0, []
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading")
        try:
            for place, damage in scrub(settings):
                read += 1
                progress.update(task, description=f"{place}: {count(read, 'file')}")
                if damage is not None:
                    damages.append(damage)
                    _print(progress.console, damage)
        except (MlflowUnavailable, OSError) as error:
            progress.stop()
            sys.exit(f"the scrub ended after {count(read, 'file')}, with {len(damages)} damaged: {error}")
    console.print(f"{len(damages)} damaged, {count(read, 'file')} read")
    damaged = [DamageReport(**vars(damage)) for damage in damages]
    publish(DoctorReport(errors=len(damages), warnings=0, checks=[], files_read=read, damaged=damaged))
    if damages:
        sys.exit(1)


def scrub(settings: Settings) -> Iterator[tuple[str, Damage | None]]:
    """Read every file; yield where it lies and its damage, or None if it is intact."""
    resources = build_environment(settings).resources or {}
    lake, registry, target = resources["lake"], resources["registry"], resources["deploy_target"]
    tables = list_tables(lake)
    for model, asset in tables:
        for damage in _until_refused(scrub_table(lake, model, asset)):
            yield f"{model}/{asset}", damage
    for model in sorted({model for model, _ in tables}):
        for damage in _until_refused(scrub_lake_models(lake, model)):
            yield f"{model}/models", damage
    for model in sorted({model for model, asset in tables if asset == LEDGER}):
        yield f"{model}/{LEDGER}", scrub_newest_release(lake, registry, target, model)
        for place, damages in (
            ("deploy target", scrub_deploy_target(target, model)),
            ("MLflow", scrub_registered_models(registry, model)),
        ):
            for damage in _until_refused(damages):
                yield f"{model} in {place}", damage


def _until_refused(damages: Iterator[Damage | None]) -> Iterator[Damage | None]:
    """Yield what a scrub finds; if this user may not read a file, report it, and leave out the rest of this scrub."""
    try:
        yield from damages
    except PermissionError as error:
        lost = "nothing if it is intact; it and the files after it in the same table or folder were not read"
        remedy = "give the file to this user, or run the scrub as its owner"
        yield Damage(str(error.filename or error), "this user may not read it", lost, remedy)


def _print(console: Console, damage: Damage) -> None:
    day = f" of {damage.day}" if damage.day else ""
    console.print(f"[bold red]damaged[/]  {escape(damage.file)}{day}: {escape(damage.reason)}", soft_wrap=True)
    console.print(f"         lost: {escape(damage.lost)}", soft_wrap=True, highlight=False)
    console.print(f"         -> {escape(damage.remedy)}", soft_wrap=True, highlight=False)
