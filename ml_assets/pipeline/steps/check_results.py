"""Findings of checks over the days of a run as Dagster's check results: every day visible, few lines, and stops only
when no day is left.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import Check
from ml_assets.core.tables.day_ranges import RANGE, neighbours

MOST_LINES = 200
# Names in the metadata of a result, by which notifications find the days.
BY_DAY, DAYS_PASSED = "by_day", "days_passed"
VERDICTS = {True: "passed", False: "failed", None: "not judged"}
SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}


@dataclass(frozen=True)
class CheckRun:
    """What one check found on the days of a run.

    findings: one a day. picture: PNG of the newest day that failed, else of the newest day. metadata: further figures
    over all days.
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
        """Whether the check, when it is blocking, stops what follows in the run: every day that was judged failed with
        an error.
        """
        judged = [found for found in self.outcomes if found.passed is not None]
        return bool(judged) and all(found.failed and found.severity == "error" for found in judged)


def check_spec(name: str, key: dg.AssetKey, settings: Check, description: str) -> dg.AssetCheckSpec:
    """A check of an asset, blocking where the specification says so."""
    return dg.AssetCheckSpec(name, asset=key, description=description, blocking=settings.blocking)


def result_of(judged: CheckRun) -> dg.AssetCheckResult:
    """The result of one check over the days of a run.

    It fails when a day failed, with the gravest severity of those that did. Its metadata has the verdict of each day
    that failed, and of others up to 200 lines in all, the ranges of days that passed, and the lines of those that
    failed, or of the newest day.
    """
    outcomes = sorted(judged.outcomes, key=lambda found: found.day)
    failed = [found for found in outcomes if found.failed]
    severity = "error" if any(found.severity == "error" for found in failed) or not failed else "warn"
    by_day = [
        {
            "day": str(found.day),
            "verdict": VERDICTS[found.passed],
            "severity": found.severity if found.failed else "",
            "reason": found.reason,
        }
        for found in sorted(outcomes, key=lambda found: not found.failed)
    ]
    lines = [{"day": str(found.day), **line} for found in failed or outcomes[-1:] for line in found.lines]
    return dg.AssetCheckResult(
        passed=not failed,
        check_name=judged.name,
        asset_key=judged.asset,
        severity=SEVERITIES[severity],
        description=_description(outcomes),
        metadata={
            "days": len(outcomes),
            "days_judged": sum(found.passed is not None for found in outcomes),
            "days_failed": len(failed),
            BY_DAY: table(by_day, most=max(MOST_LINES, len(failed))),
            DAYS_PASSED: _ranges([found.day for found in outcomes if found.passed]),
            **({"details": table(lines)} if lines else {}),
            **({"plot": inline_plot(judged.name, judged.plot)} if judged.plot else {}),
            **judged.metadata,
        },
    )


def _description(outcomes: Sequence[CheckOutcome]) -> str:
    failed = [found for found in outcomes if found.failed]
    if failed:
        others = f" (and {len(failed) - 1} more of {len(outcomes)} days)" if len(failed) > 1 else ""
        return f"{failed[-1].day}: {failed[-1].reason}{others}"
    judged = [found for found in outcomes if found.passed is not None] or outcomes
    return f"{judged[-1].day}: {judged[-1].reason}" if judged else "the run has no day that could be judged"


def events_of(context: dg.AssetExecutionContext, judged: CheckRun) -> Iterator[Any]:
    """What the op yields for a check.

    In Dagster a blocking check that failed stops all that follows in the run. Where days of the run are left that did
    not fail, an evaluation that does not block takes its place, with the same severity.
    """
    result, stated = result_of(judged), context.assets_def.get_spec_for_check_key(judged.key)
    if result.passed or judged.stops_run or stated is None or not stated.blocking:
        yield result
        return
    names = {check.key: output for output, check in context.assets_def.check_specs_by_output_name.items()}
    yield dg.Output(None, output_name=names[judged.key])
    yield dg.AssetCheckEvaluation(
        asset_key=judged.asset,
        check_name=judged.name,
        passed=False,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
        blocking=False,
    )


def failed_by_day(judged: Iterable[CheckRun]) -> dict[date, list[str]]:
    """Names of the checks that failed on each day, with their severity."""
    failed: dict[date, list[str]] = {}
    for one in judged:
        for found in one.outcomes:
            if found.failed:
                failed.setdefault(found.day, []).append(f"{one.name} ({found.severity})")
    return failed


def _ranges(days: Iterable[date]) -> str:
    return ", ".join(
        f"{group.days[0]}{RANGE}{group.days[-1]}" for group in neighbours((day, None) for day in sorted(set(days)))
    )


def table(rows: Iterable[Mapping[str, object]], most: int | None = None) -> dg.TableMetadataValue:
    """The first rows, `most` or 200, as a table; values that are neither text nor numbers as their JSON."""
    records, names = [], {}
    for row in list(rows)[: MOST_LINES if most is None else most]:
        names |= dict.fromkeys(row)
        records.append({name: _shown(value) for name, value in row.items()})
    filled = [dg.TableRecord({name: record.get(name, "") for name in names}) for record in records]
    return dg.MetadataValue.table(filled, dg.TableSchema([dg.TableColumn(str(name)) for name in names]))


def _shown(value: object) -> str | int | float | bool:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, str | int | float | bool):
        return value
    return json.dumps(value, default=str)


def inline_plot(name: str, png: bytes) -> dg.MarkdownMetadataValue:
    """A PNG inside the metadata itself."""
    import base64

    return dg.MetadataValue.md(f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})")
