"""Check outcomes kept in the daily reports, and reused while nothing that they depend on has changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.code_version import code_version
from ml_assets.core.tables.fingerprint import digest
from ml_assets.pipeline.steps.check_results import CheckRun
from ml_assets.pipeline.steps.report_store import Reports

if TYPE_CHECKING:
    from ml_assets.core.operations.reports.daily_report import Part

Inputs = Sequence[object] | None
"""Fingerprints of everything in the lake that the checks of a day read; None if their outcomes must not be kept."""


class KeptChecks:
    """The outcomes of the checks of one asset that are kept in its parts of the daily reports.

    A part has a digest of the specification, of the code of the checks, and of the fingerprints of all days that they
    read. While that digest is unchanged, an evaluation would give the same outcomes.

    Args:
        reports: the daily reports of the model.
        asset: name of the asset.
        spec: the model; a change of any field evaluates the checks again.
        modules: dotted names of the modules that evaluate the checks.
    """

    def __init__(self, reports: Reports, asset: str, spec: ModelSpec, modules: Sequence[str]):
        self._reports = reports
        self._asset = asset
        self._spec = spec
        self._modules = modules

    @cached_property
    def _settings(self) -> str:
        code = [code_version(module, counts_itself=True) for module in self._modules]
        return digest(self._spec.model_dump(mode="json"), code)

    def digest(self, inputs: Inputs, is_newest: bool) -> str | None:
        """Return the digest for a day; None if its outcomes must not be kept.

        Args:
            inputs: everything that the checks of the day read.
            is_newest: True for the newest day of a run, for which more is checked and drawn than for the others.
        """
        return None if inputs is None else digest(self._settings, inputs, is_newest)

    def part(self, day: date, inputs: Inputs, is_newest: bool) -> "Part | None":
        """Return the part of a day if its outcomes still hold; None if the checks have to be evaluated.

        Outcomes of a day that was the newest of its run hold in every run. A part that is missing or unreadable has
        none.
        """
        if inputs is None or not (part := self._reports.part(day, self._asset)):
            return None
        valid = {self.digest(inputs, True)} if is_newest else {self.digest(inputs, True), self.digest(inputs, False)}
        return part if part.inputs in valid else None


def add_kept_outcomes(
    specs: Sequence[dg.AssetCheckSpec], evaluated: Sequence[CheckRun], kept: "Mapping[date, Part]"
) -> list[CheckRun]:
    """Add the kept outcomes of days to the checks that were evaluated on the other days of a run.

    Args:
        specs: the checks of the assets of a step.
        evaluated: the checks on the days that were evaluated; none if all outcomes are kept.
        kept: the parts with the kept outcomes, by day.
    """
    by_check: dict[str, list[CheckOutcome]] = {}
    for part in kept.values():
        for outcome in part.outcomes:
            by_check.setdefault(outcome.check, []).append(replace(outcome, remark=""))
    runs = {run.name: run for run in evaluated}
    for spec in specs if kept else ():
        outcomes = by_check.get(spec.name, [])
        run = runs.get(spec.name) or CheckRun(spec.asset_key, spec.name, [])
        if outcomes or not evaluated:
            merged = sorted([*run.outcomes, *outcomes], key=lambda outcome: outcome.day)
            runs[spec.name] = replace(run, outcomes=merged, plot=_plot(run, merged, kept))
    return list(runs.values())


def _plot(run: CheckRun, outcomes: Sequence[CheckOutcome], kept: "Mapping[date, Part]") -> bytes | None:
    """Return the plot of the newest day that failed, else that of the days that were evaluated."""
    newest_failed = max((outcome.day for outcome in outcomes if outcome.failed), default=None)
    part = kept.get(newest_failed) if newest_failed else None
    return part.plots.get(run.name, run.plot) if part else run.plot


def changed_days(kept: "Mapping[date, Part]", runs: Iterable[CheckRun]) -> Collection[date]:
    """Return the days whose outcomes in a run differ from those in their parts."""
    shown: dict[date, set[tuple]] = {day: set() for day in kept}
    for run in runs:
        for outcome in run.outcomes:
            if outcome.day in shown:
                shown[outcome.day].add(_verdict(outcome))
    return [day for day, part in kept.items() if {_verdict(outcome) for outcome in part.outcomes} != shown[day]]


def _verdict(outcome: CheckOutcome) -> tuple[str, bool | None, str, str]:
    return outcome.check, outcome.passed, outcome.severity, outcome.explanation
