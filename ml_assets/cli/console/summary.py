"""The summary of the main job, from what is committed in the lake and the registry."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ml_assets.cli.console.release_report import print_differences
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.evaluation import GateMetric
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.asset_names import QUARANTINED, VALIDATED
from ml_assets.pipeline.evaluation.champion import ALIAS
from ml_assets.pipeline.graph.stages import Stages

if TYPE_CHECKING:
    from ml_assets.cli.needed_days import Needed

VERDICTS = {True: "[green]passed[/]", False: "[red]failed[/]", None: "[yellow]not evaluated[/]"}
MOST_PROBLEMS = 12


def print_summary(
    console: Console,
    spec: ModelSpec,
    needed: "Needed",
    stages: Stages,
    seconds: Mapping[str, float],
    total: float,
    settings: Settings,
    differences: Sequence[str],
) -> None:
    """Print days, rows, quarantine, metrics, gates, the registry entry, seconds of each stage, and the next commands.

    Args:
        console: printed to.
        spec: the model's specification.
        needed: the days that were needed.
        stages: the stages, opened after the work.
        seconds: seconds of each stage that ran; empty when nothing ran.
        total: seconds of the whole command.
        settings: of this process.
        differences: of MLflow and the deploy target from the release ledger, one sentence each.
    """
    console.print()
    if not needed.to_do:
        console.print(
            f"[bold]Nothing to do:[/] all {len(needed.landed)} days and the model of {needed.newest} are up to date."
        )
    _print_data(console, spec, needed, stages)
    model = stages.training.row(needed.newest)
    if blocked := stages.training.gate.reason(needed.newest):
        console.print(f"[bold red]Blocked:[/] {escape(blocked)}", soft_wrap=True)
    if not model["model_digest"]:
        console.print(f"[bold red]There is no model of {needed.newest}:[/] {escape(model['problem'])}", soft_wrap=True)
        _print_live(console, needed, stages)
        print_differences(console, differences)
        return
    _print_metrics(console, spec, needed, stages)
    _print_gates(console, spec, needed, stages)
    _print_entry(console, spec, needed, stages, model, settings)
    _print_live(console, needed, stages)
    print_differences(console, differences)
    if seconds:
        console.print(
            "Seconds       " + ", ".join(f"{stage} {took:.1f}" for stage, took in seconds.items()), soft_wrap=True
        )
    console.print(f"In all        {total:.1f} s")
    console.print(
        "\nNext: [bold]ml-assets ui[/] opens Dagster with these assets, [bold]ml-assets --help[/] lists the verbs."
    )


def _print_data(console: Console, spec: ModelSpec, needed: "Needed", stages: Stages) -> None:
    published = stages.validation.tables[VALIDATED].row_counts()
    good = sum(published.get(day, 0) for day in needed.landed)
    bad = stages.validation.count_quarantined_rows(needed.landed)
    report = stages.validation.report(needed.landed)
    rejected = int((report["scope"] == "day").sum())
    console.print(f"Model         {spec.name}, as of {needed.newest}")
    console.print(
        f"Days          {len(needed.landed)} ({needed.landed[0]} to {needed.landed[-1]}), "
        f"{rejected} rejected or missing"
    )
    console.print(f"Rows          {good:,} published, {bad:,} quarantined")
    by_reason = report[report["scope"] == "row"].groupby("reason")["rows"].sum().sort_values(ascending=False)
    problems = report[report["scope"] != "row"]
    for entry in problems.head(MOST_PROBLEMS).itertuples():
        console.print(f"  [yellow]{entry.day} {escape(str(entry.file))}[/] {escape(str(entry.reason))}", soft_wrap=True)
    if len(problems) > MOST_PROBLEMS:
        console.print(
            f"  ... and {len(problems) - MOST_PROBLEMS} more problems of files and days "
            f"in {stages.validation.tables[QUARANTINED].uri}"
        )
    for reason, rows in list(by_reason.items())[:MOST_PROBLEMS]:
        console.print(f"  {rows:>8,} rows  {escape(str(reason))}", soft_wrap=True)


def _print_metrics(console: Console, spec: ModelSpec, needed: "Needed", stages: Stages) -> None:
    overall = stages.evaluation.overall(needed.newest).set_index("metric")
    interval = f"{spec.evaluation.confidence:.0%} interval"
    table = Table("metric", "value", interval, title="On the holdout", title_justify="left", title_style="bold")
    for metric in get_args(GateMetric):
        if metric in overall.index:
            row = overall.loc[metric]
            table.add_row(metric, f"{row['value']:.4f}", f"{row['low']:.4f} to {row['high']:.4f}")
    console.print(table)


def _print_gates(console: Console, spec: ModelSpec, needed: "Needed", stages: Stages) -> None:
    table = Table("gate", "verdict", "reason", title="Gates", title_justify="left", title_style="bold")
    for verdict in stages.evaluation.gate_results(needed.newest):
        table.add_row(verdict.gate, VERDICTS[verdict.passed], escape(verdict.reason))
    if spec.champion is None:
        table.add_row("champion", "[yellow]switched off[/]", "the specification says champion: null")
    console.print(table)


def _print_entry(
    console: Console, spec: ModelSpec, needed: "Needed", stages: Stages, model: Mapping, settings: Settings
) -> None:
    entry, why_not_registered = (
        stages.registration.entry(needed.newest) or {},
        stages.registration.why_not_registered(needed.newest),
    )
    console.print(f"Model digest  {model['model_digest']}")
    console.print(
        f"Trained on    {model['rows']:,} rows, {model['positives']:,} positive, {model['rounds']} rounds, "
        f"threshold {model['threshold']:.4f}"
    )
    holder = stages.registration.registry.alias_version(spec.name, ALIAS)
    alias = f"alias {ALIAS} is version {holder}" if holder is not None else f"alias {ALIAS} is not set"
    if why_not_registered:
        console.print(
            f"MLflow        [bold red]not registered:[/] {escape(why_not_registered)}; {alias}", soft_wrap=True
        )
    else:
        console.print(f"MLflow        {spec.name} version {entry.get('version', 'none')}, {alias}", soft_wrap=True)
    console.print(f"Files         {settings.lake}/{model['artifacts']}", soft_wrap=True)


def _print_live(console: Console, needed: "Needed", stages: Stages) -> None:
    """Print the live versions, the release decision, and the scores of the newest day."""
    live, decided = stages.predictions.live(needed.newest), stages.deployment.row(needed.newest)
    if live.champion is None:
        console.print("Live          [yellow]no model[/]")
    else:
        canary = f", {live.challenger} for {live.percent} percent of the entities" if live.challenger else ""
        console.print(f"Live          {live.champion}{canary}")
    if decided:
        console.print(f"Deployment    {decided['outcome']}: {escape(decided['reason'])}", soft_wrap=True)
    scored = stages.predictions.scored(needed.newest)
    if problem := stages.predictions.problem(needed.newest):
        console.print(f"Predictions   [yellow]{escape(problem)}[/]", soft_wrap=True)
    else:
        console.print(
            f"Predictions   {len(scored):,} rows of {needed.newest}, {int(scored['decision'].sum()):,} decided positive"
        )
