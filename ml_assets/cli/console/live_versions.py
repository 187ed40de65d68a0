"""What is live, as lines of the summary: the versions, and why a registered version is not among them."""

from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console

from ml_assets.cli.console.release_report import explain_not_live
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import Release, Version, describe_share
from ml_assets.pipeline.graph.stages import Stages

if TYPE_CHECKING:
    from ml_assets.cli.needed_days import Needed


def print_live_versions(console: Console, day: date, stages: Stages) -> None:
    """Print the versions that are live for the rows of a day and, if releases have changed them since, those of now."""
    of_day, latest = stages.predictions.live(day), stages.predictions.ledger.latest()
    if _describe_live(of_day) == _describe_live(latest):
        console.print(f"Live          {_describe_live(of_day)}", soft_wrap=True)
    else:
        console.print(f"Live          {_describe_live(of_day)}, for the rows of {day}", soft_wrap=True)
        console.print(f"Live now      {_describe_live(latest)}, by release {latest.number}", soft_wrap=True)


def _describe_live(live: Release) -> str:
    if live.champion is None:
        return "[yellow]no model[/]"
    return (
        f"{live.champion}, {live.challenger} {describe_share(live.percent)}" if live.challenger else str(live.champion)
    )


def print_why_not_live(console: Console, spec: ModelSpec, needed: "Needed", stages: Stages) -> None:
    """Print the command that releases the version of the newest day, if it is registered and not live."""
    live, day = stages.predictions.ledger.latest(), needed.model_day(stages)
    entry = stages.registration.entry(day)
    if live.champion is None or not entry or stages.registration.why_not_registered(day):
        return
    number = int(entry["version"])
    # A version that is registered again has another number.
    if entry["model_digest"] in {version.digest for version in (live.champion, live.challenger) if version}:
        return
    version = Version(number, entry["model_digest"], day)
    ends = ", and ends the canary" if live.challenger else ""
    console.print(
        f"Not live      [yellow]{version} is registered, and {live.champion} stays live[/]: "
        f"{explain_not_live(live, version)}. [bold]ml-assets promote {spec.name} --version {number}[/] "
        f"makes it live now{ends}",
        soft_wrap=True,
        highlight=False,
    )
