"""The summary of the main job, from what is committed in the lake and the registry."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ml_assets.cli.console.day_problems import print_day_problems
from ml_assets.cli.console.failure_report import describe_refusal
from ml_assets.cli.console.live_versions import print_live_versions, print_why_not_live
from ml_assets.cli.console.model_verdict import failed_gates
from ml_assets.cli.console.release_report import print_differences
from ml_assets.cli.console.tables import print_table
from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import DECISION
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.asset_names import VALIDATED
from ml_assets.pipeline.evaluation.champion import ALIAS
from ml_assets.pipeline.graph.stages import Stages
from ml_assets.pipeline.steps.report_store import Reports

if TYPE_CHECKING:
    from ml_assets.cli.needed_days import Needed

MOST_CHECKS = 3
"""The most checks without an evaluation that are listed by name."""
VERDICTS = {True: "[green]passed[/]", False: "[red]failed[/]", None: "[yellow]not evaluated[/]"}
INCONCLUSIVE = "[yellow]inconclusive[/]"
NEXT = "Next: [bold]ml-assets ui[/] opens Dagster with these assets, [bold]ml-assets --help[/] lists the verbs."


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
    """Print days, rows, quarantine, metrics, gates, the registry entry, the live versions, the checks of the newest
    day, seconds of each stage, and the next commands; only a few lines if nothing had to be done and all is in order.

    Args:
        console: the console to print to.
        spec: the model's specification.
        needed: the days that were needed.
        stages: the stages, opened after the work.
        seconds: seconds of each stage that ran; empty when nothing ran.
        total: seconds of the whole command.
        settings: the settings of this process.
        differences: how MLflow and the deploy target differ from the release ledger, one sentence each.
    """
    if not needed.to_do and _is_in_order(needed, stages, differences):
        _print_nothing_to_do(console, spec, needed, stages)
        return
    console.print()
    _print_data(console, spec, needed, stages)
    model, model_day = stages.training.row(needed.model_day(stages)), needed.model_day(stages)
    if model_day != needed.newest:
        reason = stages.training.row(needed.newest)["due"]
        console.print(f"Trained       {model_day}; {reason}; --train makes one of {needed.newest}", soft_wrap=True)
    if blocked := stages.training.gate.reason(needed.newest):
        console.print(f"[bold red]Blocked:[/] {escape(blocked)}", soft_wrap=True)
    if not model["model_digest"]:
        console.print(f"[bold red]There is no model of {model_day}:[/] {escape(model['problem'])}", soft_wrap=True)
        _print_live(console, needed, stages)
        _print_checks(console, stages, needed.newest)
        print_differences(console, differences)
        return
    _print_metrics(console, spec, needed, stages)
    _print_gates(console, spec, needed, stages)
    _print_entry(console, spec, needed, stages, model, settings)
    _print_live(console, needed, stages)
    print_why_not_live(console, spec, needed, stages)
    _print_checks(console, stages, needed.newest)
    print_differences(console, differences)
    if seconds:
        console.print(
            "Seconds       " + ", ".join(f"{stage} {took:.1f}" for stage, took in seconds.items()), soft_wrap=True
        )
    console.print(f"In all        {total:.1f} s")
    failed = failed_gates(stages, model_day)
    is_refused = failed or stages.registration.why_not_registered(model_day)
    console.print(
        f"\nNext: {escape(describe_refusal(spec, needed, failed))}" if is_refused else f"\n{NEXT}", soft_wrap=True
    )


def _print_data(console: Console, spec: ModelSpec, needed: "Needed", stages: Stages) -> None:
    published = stages.validation.tables[VALIDATED].row_counts()
    good = sum(published.get(day, 0) for day in needed.landed)
    bad = stages.validation.count_quarantined_rows(needed.landed)
    report = stages.validation.report(needed.landed)
    rejected = report.loc[report["scope"] == "day", "day"].nunique()
    console.print(f"Model         {spec.name}, as of {needed.newest}")
    console.print(
        f"Days          {len(needed.landed)} ({needed.landed[0]} to {needed.landed[-1]}), "
        f"{rejected} rejected or missing"
    )
    console.print(f"Rows          {good:,} published, {bad:,} quarantined")
    print_day_problems(console, spec, stages, needed.landed)


def _print_metrics(console: Console, spec: ModelSpec, needed: "Needed", stages: Stages) -> None:
    overall = stages.evaluation.overall(needed.model_day(stages)).set_index("metric")
    interval = f"{spec.evaluation.confidence:.0%} interval"
    table = Table("metric", "value", interval, title="On the holdout", title_justify="left", title_style="bold")
    for metric, row in overall.iterrows():
        table.add_row(str(metric), f"{row['value']:.4f}", f"{row['low']:.4f} to {row['high']:.4f}")
    print_table(console, table)


def _print_gates(console: Console, spec: ModelSpec, needed: "Needed", stages: Stages) -> None:
    table = Table("gate", "verdict", "reason", title="Gates", title_justify="left", title_style="bold")
    for verdict in stages.evaluation.gate_results(needed.model_day(stages)):
        is_inconclusive = verdict.passed is False and verdict.severity == "warn"
        shown = INCONCLUSIVE if is_inconclusive else VERDICTS[verdict.passed]
        table.add_row(verdict.gate, shown, escape(verdict.reason))
    if spec.champion is None:
        table.add_row("champion", "[yellow]switched off[/]", "the specification says champion: null")
    print_table(console, table)


def _print_entry(
    console: Console, spec: ModelSpec, needed: "Needed", stages: Stages, model: Mapping, settings: Settings
) -> None:
    entry, why_not_registered = (
        stages.registration.entry(needed.model_day(stages)) or {},
        stages.registration.why_not_registered(needed.model_day(stages)),
    )
    console.print(f"Model digest  {model['model_digest']}")
    is_binary = model["threshold"] is not None
    positives = f"{model['positives']:,} positive, " if is_binary else ""
    threshold = f", threshold {model['threshold']:.4f}" if is_binary else ""
    trained = f"{count(model['rows'], 'row')}, {positives}{count(model['rounds'], 'round')}{threshold}"
    console.print(f"Trained on    {trained}")
    holder = stages.registration.registry.alias_version(spec.name, ALIAS)
    alias = f"alias {ALIAS} is version {holder}" if holder is not None else f"alias {ALIAS} is not set"
    if why_not_registered:
        console.print(
            f"MLflow        [bold red]not registered:[/] {escape(why_not_registered)}; {alias}", soft_wrap=True
        )
    else:
        console.print(f"MLflow        {spec.name} version {entry.get('version', 'none')}, {alias}", soft_wrap=True)
    console.print(f"Files         {settings.lake}/{model['artifacts']}", soft_wrap=True)


def _print_checks(console: Console, stages: Stages, day: date, with_dashboard: bool = True) -> None:
    """Print how many checks of a day passed, the names of those that failed, the page of the day and the dashboard."""
    reports = Reports(stages.training.spec.name, stages.training.lake)
    report = reports.report(day)
    outcomes = report.outcomes
    passed = sum(outcome.passed is True for outcome in outcomes)
    failed = [outcome for _, outcome in report.failed()]
    others = [outcome.check for outcome in outcomes if outcome.passed is None]
    names = ", ".join(
        f"{outcome.check} ({'error' if outcome.severity == 'error' else 'warning'})" for outcome in failed
    )
    failures = f", [bold red]{len(failed)} failed:[/] {escape(names)}" if failed else ""
    unevaluated = ", ".join(others[:MOST_CHECKS]) + (" and others" if len(others) > MOST_CHECKS else "")
    rest = f", {len(others)} not evaluated: {escape(unevaluated)}" if others else ""
    console.print(
        f"Checks        {passed} of {count(len(outcomes), 'check')} of {day} passed{failures}{rest}",
        soft_wrap=True,
        highlight=False,
    )
    if reports.has_page(day):
        console.print(f"Page          {escape(reports.uri(day))}", soft_wrap=True, highlight=False)
    if with_dashboard and reports.has_dashboard():
        console.print(f"Dashboard     {escape(reports.dashboard_uri)}", soft_wrap=True, highlight=False)


def _is_in_order(needed: "Needed", stages: Stages, differences: Sequence[str]) -> bool:
    """Return whether the newest day has a model that passes its gates and is registered, its rows are scored, and
    nothing differs.
    """
    day = needed.model_day(stages)
    return not (
        differences
        or not stages.training.row(day)["model_digest"]
        or stages.training.gate.reason(day)
        or stages.registration.why_not_registered(day)
        or failed_gates(stages, day)
        or stages.predictions.why_not_scored(needed.newest)
    )


def _print_nothing_to_do(console: Console, spec: ModelSpec, needed: "Needed", stages: Stages) -> None:
    console.print(
        f"[bold]Nothing to do:[/] {count(len(needed.landed), 'day')} and the model of {needed.model_day(stages)} are "
        "up to date.",
        soft_wrap=True,
        highlight=False,
    )
    print_live_versions(console, needed.newest, stages)
    print_why_not_live(console, spec, needed, stages)
    _print_checks(console, stages, needed.newest, with_dashboard=False)
    console.print(NEXT, soft_wrap=True)


def _print_live(console: Console, needed: "Needed", stages: Stages) -> None:
    """Print the live versions, the release decision, and the scores of the newest day."""
    print_live_versions(console, needed.newest, stages)
    if decided := stages.deployment.row(needed.newest):
        console.print(f"Deployment    {decided['outcome']}: {escape(decided['reason'])}", soft_wrap=True)
    scored = stages.predictions.scored(needed.newest)
    if problem := stages.predictions.problem(needed.newest):
        console.print(f"Predictions   [yellow]{escape(problem)}[/]", soft_wrap=True)
    else:
        decided = f", {int(scored[DECISION].sum()):,} decided positive" if DECISION in scored else ""
        console.print(f"Predictions   {count(len(scored), 'row')} of {needed.newest}{decided}")
