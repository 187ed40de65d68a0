"""Check results of a run over many days: one result for each check, with the outcome of every day in its metadata."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks.check import Check
from ml_assets.core.model_spec.checks.checks import Checks
from ml_assets.core.tables.day_ranges import RANGE, group_days
from ml_assets.resources.dagster_internals.partition_events import CheckTarget, targets_of_checks

MOST_LINES = 200
# Metadata keys of a result, from which notifications read the days.
BY_DAY, DAYS_PASSED = "by_day", "days_passed"
VERDICTS = {True: "passed", False: "failed", None: "not evaluated"}
SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}


@dataclass(frozen=True)
class CheckRun:
    """One check on the days of a run.

    outcomes: one for each day. plot: PNG of the newest day that failed, else of the newest day. metadata: further
    figures over all days.
    """

    asset: dg.AssetKey
    name: str
    outcomes: Sequence[CheckOutcome]
    plot: bytes | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> dg.AssetCheckKey:
        """Key of the check."""
        return dg.AssetCheckKey(self.asset, self.name)

    @property
    def stops_run(self) -> bool:
        """True if the check, when it is blocking, stops the run: every evaluated day failed with an error."""
        evaluated = [outcome for outcome in self.outcomes if outcome.passed is not None]
        return bool(evaluated) and all(outcome.failed and outcome.severity == "error" for outcome in evaluated)


def check_spec(name: str, key: dg.AssetKey, settings: Check, description: str) -> dg.AssetCheckSpec:
    """Specify a check of an asset, blocking where the specification says so."""
    return dg.AssetCheckSpec(name, asset=key, description=description, blocking=settings.blocking)


def enabled_check_specs(
    checks: Checks, names: Collection[str], key: dg.AssetKey, descriptions: Mapping[str, str]
) -> list[dg.AssetCheckSpec]:
    """Specify the named checks of an asset that the specification enables."""
    return [check_spec(name, key, settings, descriptions[name]) for name, settings in checks.enabled() if name in names]


def build_check_result(run: CheckRun) -> dg.AssetCheckResult:
    """Build the result of one check over the days of a run.

    It fails when a day failed, with the highest severity of the failed days. Its metadata has the verdict of each day
    that failed, and of other days up to 200 lines in all, the ranges of days that passed, and the detail lines of the
    failed days, or of the newest day.
    """
    outcomes = sorted(run.outcomes, key=lambda outcome: outcome.day)
    failed = [outcome for outcome in outcomes if outcome.failed]
    severity = "error" if any(outcome.severity == "error" for outcome in failed) or not failed else "warn"
    by_day = [
        {
            "day": str(outcome.day),
            "verdict": VERDICTS[outcome.passed],
            "severity": outcome.severity if outcome.failed else "",
            "reason": outcome.explanation,
        }
        for outcome in sorted(outcomes, key=lambda outcome: not outcome.failed)
    ]
    lines = [{"day": str(outcome.day), **line} for outcome in failed or outcomes[-1:] for line in outcome.lines]
    return dg.AssetCheckResult(
        passed=not failed,
        check_name=run.name,
        asset_key=run.asset,
        severity=SEVERITIES[severity],
        description=_description(outcomes),
        metadata={
            "days": len(outcomes),
            "days_evaluated": sum(outcome.passed is not None for outcome in outcomes),
            "days_failed": len(failed),
            BY_DAY: table(by_day, most=max(MOST_LINES, len(failed))),
            DAYS_PASSED: _ranges([outcome.day for outcome in outcomes if outcome.passed]),
            **({"details": table(lines)} if lines else {}),
            **({"plot": inline_plot(run.name, run.plot)} if run.plot else {}),
            **run.metadata,
        },
    )


def _description(outcomes: Sequence[CheckOutcome]) -> str:
    failed = [outcome for outcome in outcomes if outcome.failed]
    if failed:
        others = f" (and {len(failed) - 1} more of {len(outcomes)} days)" if len(failed) > 1 else ""
        return f"{failed[-1].day}: {failed[-1].explanation}{others}"
    evaluated = [outcome for outcome in outcomes if outcome.passed is not None] or outcomes
    if not evaluated:
        return "the run has no day that could be evaluated"
    return f"{evaluated[-1].day}: {evaluated[-1].explanation}"


def check_events(context: dg.AssetExecutionContext, run: CheckRun) -> Iterator[Any]:
    """Yield the events of a check in its step.

    In Dagster a blocking check that failed stops everything downstream in the run. If other days of the run passed, the
    failure is recorded as a non-blocking evaluation with the same severity instead. A check with partitions has an
    evaluation for each day instead, under the partition of the day and for its materialization.
    """
    result, spec = build_check_result(run), context.assets_def.get_spec_for_check_key(run.key)
    is_partitioned = spec is not None and spec.partitions_def is not None
    if spec is None or (not is_partitioned and (result.passed or run.stops_run or not spec.blocking)):
        yield result
        return
    yield output_without_result(context, run.key)
    if not is_partitioned:
        yield _evaluation(result, blocking=False)
        return
    by_day = {of_day.outcomes[0].day.isoformat(): of_day for of_day in runs_by_day(run)}
    targets = targets_of_checks(context.instance, run.asset, list(by_day))
    for day, of_day in by_day.items():
        yield _evaluation(build_check_result(of_day), spec.blocking and run.stops_run, day, targets.get(day))


def output_without_result(context: dg.AssetExecutionContext, check: dg.AssetCheckKey) -> dg.Output:
    """Return the output that Dagster requires of each selected check, without an evaluation."""
    names = {spec.key: output for output, spec in context.assets_def.check_specs_by_output_name.items()}
    return dg.Output(None, output_name=names[check])


def runs_by_day(run: CheckRun) -> list[CheckRun]:
    """Split a check over the days of a run into one for each day, ascending. The plot goes to the day that it shows,
    and figures over all days to the newest day.
    """
    outcomes = sorted(run.outcomes, key=lambda outcome: outcome.day)
    plotted = next((outcome for outcome in reversed(outcomes) if outcome.failed), outcomes[-1] if outcomes else None)
    return [
        replace(
            run,
            outcomes=[outcome],
            plot=run.plot if outcome is plotted else None,
            metadata=run.metadata if outcome is outcomes[-1] else {},
        )
        for outcome in outcomes
    ]


def _evaluation(
    result: dg.AssetCheckResult, blocking: bool, partition: str | None = None, target: CheckTarget | None = None
) -> dg.AssetCheckEvaluation:
    assert result.asset_key is not None
    assert result.check_name is not None
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
        blocking=blocking,
        partition=partition,
        target_materialization_data=target,
    )


def failed_by_day(runs: Iterable[CheckRun]) -> dict[date, list[str]]:
    """Group the names of failed checks, with their severity, by day."""
    failed: dict[date, list[str]] = {}
    for run in runs:
        for outcome in run.outcomes:
            if outcome.failed:
                failed.setdefault(outcome.day, []).append(f"{run.name} ({outcome.severity})")
    return failed


def _ranges(days: Iterable[date]) -> str:
    return ", ".join(
        f"{group.days[0]}{RANGE}{group.days[-1]}" for group in group_days((day, None) for day in sorted(set(days)))
    )


def table(rows: Iterable[Mapping[str, object]], most: int | None = None) -> dg.TableMetadataValue:
    """Show the first rows, `most` or 200, as a table; values that are neither text nor numbers are shown as JSON."""
    records, names = [], {}
    for row in list(rows)[: MOST_LINES if most is None else most]:
        names |= dict.fromkeys(row)
        records.append({name: _cell(value) for name, value in row.items()})
    filled = [dg.TableRecord({name: record.get(name, "") for name in names}) for record in records]
    return dg.MetadataValue.table(filled, dg.TableSchema([dg.TableColumn(str(name)) for name in names]))


def round_for_people(value: float) -> float:
    """Round a number to four significant digits."""
    return float(f"{value:.4g}")


def _cell(value: object) -> str | int | float | bool:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, str | int | float | bool):
        return value
    return json.dumps(value, default=str)


def inline_plot(name: str, plot: bytes) -> dg.MarkdownMetadataValue:
    """Embed a plot in the metadata itself."""
    from ml_assets.core.plots.image_format import data_uri

    return dg.MetadataValue.md(f"![{name}]({data_uri(plot)})")
