"""Verbs about the live versions: releases, restore, and the manual releases."""

import click

from ml_assets.cli.verb import Verb
from ml_assets.cli.verbs.parameters import actor_option, model_argument, reason_option, version_option

REPORT = "ReleasesReport"


@click.command(cls=Verb, examples=["releases", "releases fraud_detection --json"], report=REPORT)
@model_argument
def releases(model: str | None) -> None:
    """Print the live versions and every release that led to them."""
    from ml_assets.cli.commands.release import show_releases

    show_releases(model)


@click.command(cls=Verb, examples=["restore", "restore fraud_detection"], report=REPORT)
@model_argument
def restore(model: str | None) -> None:
    """Restore models that were removed from MLflow, the lake or the deploy target."""
    from ml_assets.cli.commands.release import restore_model

    restore_model(model)


@click.command(cls=Verb, examples=['rollback --reason "scores drift"', "rollback fraud_detection"], report=REPORT)
@model_argument
@reason_option
@actor_option
def rollback(model: str | None, reason: str | None, actor: str | None) -> None:
    """Withdraw the canary, or restore the previous champion if there is none."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "rollback", None, reason, actor)


@click.command(cls=Verb, examples=['pause --reason "an experiment"', "pause fraud_detection"], report=REPORT)
@model_argument
@reason_option
@actor_option
def pause(model: str | None, reason: str | None, actor: str | None) -> None:
    """Stop automatic decisions on releases."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "pause", None, reason, actor)


@click.command(cls=Verb, examples=["resume", 'resume fraud_detection --reason "it ended"'], report=REPORT)
@model_argument
@reason_option
@actor_option
def resume(model: str | None, reason: str | None, actor: str | None) -> None:
    """Allow automatic decisions on releases again."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "resume", None, reason, actor)


@click.command(cls=Verb, examples=["canary --version 7", "canary fraud_detection --version 7"], report=REPORT)
@model_argument
@version_option
@reason_option
@actor_option
def canary(model: str | None, version: int | None, reason: str | None, actor: str | None) -> None:
    """Make a version the canary, at the first step."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "canary", version, reason, actor)


@click.command(cls=Verb, examples=["promote --version 7", "promote --version 7 --actor ann"], report=REPORT)
@model_argument
@version_option
@reason_option
@actor_option
def promote(model: str | None, version: int | None, reason: str | None, actor: str | None) -> None:
    """Make a version the champion at once."""
    from ml_assets.cli.commands.release import release_by_hand

    release_by_hand(model, "promote", version, reason, actor)
