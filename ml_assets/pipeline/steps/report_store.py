"""Daily reports in the lake: a part `<model>/reports/<day>/<asset>.json` for each stage, and the page
`<model>/reports/<day>.html` that is rendered from the parts.
"""

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table as LakeTable
from ml_assets.resources.observability.redaction import has_secrets, redact_values

if TYPE_CHECKING:
    from ml_assets.core.operations.reports.daily_report import Part, Report
    from ml_assets.pipeline.steps.check_results import CheckRun

log = logging.getLogger("ml_assets.reports")
AT_ONCE = 8
DASHBOARD = "index.html"
_KEY = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.html|/(\w+)\.json)")


class Reports:
    """The reports of one model. A stage adds its part; then the page of the day is rendered from all its parts."""

    def __init__(self, model: str, lake: Lake):
        self.model = model
        self._lake = lake
        self._root = f"{model}/reports/"

    def link(self, day: date) -> dg.MetadataValue:
        """Link to the page of a day."""
        return _link(self.uri(day))

    def dashboard_link(self) -> dg.MetadataValue:
        """Link to the dashboard of the model."""
        return _link(self.dashboard_uri)

    def uri(self, day: date) -> str:
        """Return the location of the page of a day."""
        return f"{self._lake.uri.rstrip('/')}/{self._page(day)}"

    @property
    def dashboard_uri(self) -> str:
        """The location of the dashboard of the model."""
        return f"{self._lake.uri.rstrip('/')}/{self._root}{DASHBOARD}"

    def has_dashboard(self) -> bool:
        """Return whether the dashboard exists."""
        return next(self._lake.files.keys(f"{self._root}{DASHBOARD}"), None) is not None

    def has_page(self, day: date) -> bool:
        """Return whether the page of a day exists."""
        return self._page(day) in self._files_of(day)

    def add(self, parts: Iterable["Part"]) -> None:
        """Write parts, and the pages of their days.

        If the lake is a bucket, several are written at a time, because most of the time is spent waiting.
        """
        remaining, batch_size = iter(parts), AT_ONCE if "://" in self._lake.uri else 1
        with ThreadPoolExecutor(batch_size) as threads:
            while batch := list(islice(remaining, batch_size)):
                list(threads.map(self._add, batch))

    def _add(self, part: "Part") -> None:
        part = _redact(part)
        self._lake.files.write(f"{self._root}{part.day}/{part.asset}.json", part.to_json())
        self._lake.files.write(self._page(part.day), self.page(part.day))

    def add_plots(self, day: date, asset: str, plots: Mapping[str, bytes]) -> None:
        """Add plots to the part of an asset, if the day has one, unless it already has the same plots."""
        if (part := self._part(day, asset)) and not part.plots.items() >= plots.items():
            self.add([replace(part, plots={**part.plots, **plots})])

    def part(self, day: date, asset: str) -> "Part | None":
        """Return the part of an asset on a day; None if there is none, it cannot be read, or its page is gone."""
        return self._part(day, asset) if self.has_page(day) else None

    def _files_of(self, day: date) -> Collection[str]:
        return list(self._lake.files.keys(f"{self._root}{day}."))

    def plots(self, day: date, asset: str, fingerprint: Mapping[str, object]) -> dict[str, bytes]:
        """Return the plots in the part of an asset on a day; none if the part describes other rows.

        Args:
            day: the day.
            asset: the name of the asset.
            fingerprint: the current `fingerprint_entry` of the day.
        """
        part = self._part(day, asset)
        return dict(part.plots) if part and part.provenance.items() >= fingerprint.items() else {}

    def facts(self, day: date, asset: str, fingerprint: Mapping[str, object]) -> Mapping[str, object]:
        """Return the facts in the part of an asset on a day; empty if the part describes other rows."""
        part = self._part(day, asset)
        return part.facts if part and part.provenance.items() >= fingerprint.items() else {}

    def page(self, day: date, outcome: "Part | None" = None) -> bytes:
        """Render the page of a day from the parts that it has; `outcome` replaces the part of its asset."""
        from ml_assets.core.operations.reports.html import render

        report = self.report(day)
        if outcome is not None:
            others = [part for part in report.parts if part.asset != outcome.asset]
            report = replace(report, parts=[*others, outcome])
        return render(report)

    def reports(self, parts: Mapping[date, Collection[str]]) -> "dict[date, Report]":
        """Return the reports of days, each from the named parts, several at a time if the lake is a bucket."""
        with ThreadPoolExecutor(AT_ONCE if "://" in self._lake.uri else 1) as threads:
            return dict(zip(parts, threads.map(self.report, parts, parts.values()), strict=True))

    def report(self, day: date, assets: Collection[str] | None = None) -> "Report":
        """Return the report of a day from all its parts, or only from those of some assets."""
        from ml_assets.core.operations.reports.daily_report import SECTIONS, Report

        parts = [self._read(day, asset) for asset in SECTIONS.values() if assets is None or asset in assets]
        return Report(self.model, day, [part for part in parts if part])

    def outcomes(self, day: date, asset: str) -> Sequence[CheckOutcome]:
        """Return the check outcomes in the part of an asset on a day."""
        part = self._part(day, asset)
        return part.outcomes if part else ()

    def _part(self, day: date, asset: str) -> "Part | None":
        part = self._read(day, asset)
        return None if part is None or part.state == "unreadable" else part

    def _read(self, day: date, asset: str) -> "Part | None":
        """Return the part of an asset on a day, `unreadable` if it cannot be read; None if there is none."""
        from ml_assets.core.operations.reports.daily_report import Part

        key = f"{self._root}{day}/{asset}.json"
        with suppress(FileNotFoundError):
            content = self._lake.files.read(key)
            try:
                return Part.from_json(content)
            except (ValueError, TypeError, KeyError) as error:
                command = f"ml-assets run {self.model} --day {day}"
                problem = f"{key} cannot be read ({error}). Remove it; `{command}` writes it again"
                log.warning(problem)
                return Part(asset, day, "unreadable", problem)
        return None

    def _page(self, day: date) -> str:
        return f"{self._root}{day}.html"

    def signatures(self, first: date, last: date) -> dict[date, dict[str, str]]:
        """Return size and time of each part by asset, of the days from `first` to `last` that have a page; they change
        when the part is written again.
        """
        signatures: dict[date, dict[str, str]] = {}
        days_with_page = set()
        for prefix in dict.fromkeys(f"{day:%Y-%m-}" for day in _days(first, last)):
            for file in self._lake.files.sizes(f"{self._root}{prefix}"):
                match = _KEY.fullmatch(file.key.removeprefix(self._root))
                if match is None or not first <= (day := date.fromisoformat(match[1])) <= last:
                    continue
                if match[2] is None:
                    days_with_page.add(day)
                else:
                    signatures.setdefault(day, {})[match[2]] = f"{file.size} {file.modified.isoformat()}"
        return {day: signatures.get(day, {}) for day in sorted(days_with_page)}

    def files(self) -> list[tuple[date, str]]:
        """List (day, key) of every file of every report."""
        return [(day, key) for day, _, key in self._keys()]

    def _keys(self) -> list[tuple[date, str | None, str]]:
        matches = ((_KEY.fullmatch(key.removeprefix(self._root)), key) for key in self._lake.files.keys(self._root))
        return [(date.fromisoformat(match[1]), match[2], key) for match, key in matches if match]


def _link(uri: str) -> dg.MetadataValue:
    return dg.MetadataValue.url(uri) if "://" in uri else dg.MetadataValue.path(uri)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def with_outcomes(
    parts: Iterable["Part"],
    check_runs: Sequence["CheckRun"],
    problems: Mapping[date, str | None],
    inputs: Mapping[date, str | None],
) -> "Iterator[Part]":
    """Add check outcomes, problems, the plots of failed checks, and the digests of check inputs to the parts of the
    days of a run.
    """
    outcomes: dict[date, list[CheckOutcome]] = {}
    plots: dict[date, dict[str, bytes]] = {}
    for run in check_runs:
        for outcome in run.outcomes:
            outcomes.setdefault(outcome.day, []).append(outcome)
        failed = [outcome.day for outcome in run.outcomes if outcome.failed]
        # A run over a range draws no plots of days that passed, and the page of a day must not depend on the range of
        # its run.
        if run.plot and failed:
            plots.setdefault(max(failed), {})[run.name] = run.plot
    for part in parts:
        part_plots = {**part.plots, **plots.get(part.day, {})}
        yield replace(
            part,
            outcomes=outcomes.get(part.day, ()),
            plots=part_plots,
            problem=problems.get(part.day),
            inputs=inputs.get(part.day),
        )


def fingerprint_entry(table: LakeTable, day: date) -> dict[str, object]:
    """Return the fingerprint of a day as an entry for the provenance of a part."""
    return {"fingerprint": f"{table.fingerprint(day) or 0:016x}"}


def _redact(part: "Part") -> "Part":
    """Return a part without the secrets of this process in its texts."""
    if not has_secrets():
        return part
    tables = [replace(table, rows=[redact_values(dict(row)) for row in table.rows]) for table in part.tables]
    outcomes = [
        replace(
            outcome,
            reason=redact_values(outcome.reason),
            lines=[redact_values(dict(line)) for line in outcome.lines],
        )
        for outcome in part.outcomes
    ]
    facts, problem = redact_values(dict(part.facts)), redact_values(part.problem)
    return replace(part, problem=problem, facts=facts, tables=tables, outcomes=outcomes)
