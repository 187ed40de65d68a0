"""Reports of days in the lake: `<model>/reports/<day>/<asset>.json` of each stage, and the page
`<model>/reports/<day>.html` made of them.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table as LakeTable

if TYPE_CHECKING:
    from ml_assets.pipeline.steps.check_results import CheckRun

    pass

if TYPE_CHECKING:
    from ml_assets.core.operations.reports.daily_report import Part

log = logging.getLogger("ml_assets.reports")
AT_ONCE = 8
_KEY = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.html|/(\w+)\.json)")


class Reports:
    """The reports of one model. A stage adds its part; the page of the day is then made of all parts that there are."""

    def __init__(self, model: str, lake: Lake):
        self.model, self._lake, self._root = model, lake, f"{model}/reports/"

    def link(self, day: date) -> dg.MetadataValue:
        """Where the page of a day is."""
        place = f"{self._lake.uri.rstrip('/')}/{self._page(day)}"
        return dg.MetadataValue.url(place) if "://" in place else dg.MetadataValue.path(place)

    def add(self, parts: Iterable["Part"]) -> None:
        """Write parts, and the pages of their days; several at a time where the lake is a bucket, because most of it is
        waiting then.
        """
        following, at_once = iter(parts), AT_ONCE if "://" in self._lake.uri else 1
        with ThreadPoolExecutor(at_once) as threads:
            while some := list(islice(following, at_once)):
                list(threads.map(self._add, some))

    def _add(self, part: "Part") -> None:
        self._lake.files.write(f"{self._root}{part.day}/{part.asset}.json", part.to_json())
        self._lake.files.write(self._page(part.day), self.page(part.day))

    def add_plots(self, day: date, asset: str, plots: Mapping[str, bytes]) -> None:
        """Give a part that is there these pictures as well."""
        if part := self._part(day, asset):
            self.add([replace(part, plots={**part.plots, **plots})])

    def page(self, day: date) -> bytes:
        """The page of a day, from the parts that there are."""
        from ml_assets.core.operations.reports.daily_report import SECTIONS, Report
        from ml_assets.core.operations.reports.html import render

        parts = [self._part(day, asset) for asset in SECTIONS.values()]
        return render(Report(self.model, day, [part for part in parts if part]))

    def _part(self, day: date, asset: str) -> "Part | None":
        from ml_assets.core.operations.reports.daily_report import Part

        key = f"{self._root}{day}/{asset}.json"
        with suppress(FileNotFoundError):
            content = self._lake.files.read(key)
            try:
                return Part.from_json(content)
            except (ValueError, TypeError, KeyError) as error:
                log.warning(
                    "%s cannot be read (%s) and is left out of the report of the day; remove it, and it is written again",
                    key,
                    error,
                )
        return None

    def _page(self, day: date) -> str:
        return f"{self._root}{day}.html"

    def days_with(self, asset: str) -> set[date]:
        """The days that have a part of an asset."""
        return {day for day, found, _ in self._keys() if found == asset}

    def files(self) -> list[tuple[date, str]]:
        """(day, key) of every file of every report."""
        return [(day, key) for day, _, key in self._keys()]

    def _keys(self) -> list[tuple[date, str | None, str]]:
        found = ((_KEY.fullmatch(key.removeprefix(self._root)), key) for key in self._lake.files.keys(self._root))
        return [(date.fromisoformat(match[1]), match[2], key) for match, key in found if match]


def with_outcomes(
    parts: Iterable["Part"], judged: Sequence["CheckRun"], problems: Mapping[date, str | None]
) -> "Iterator[Part]":
    """The parts of some days of a run with what its checks found, why a day is not as it should be, and pictures on the
    days that failed.
    """
    outcomes: dict[date, list[CheckOutcome]] = {}
    plots: dict[date, dict[str, bytes]] = {}
    for one in judged:
        for found in one.outcomes:
            outcomes.setdefault(found.day, []).append(found)
        failed = [found.day for found in one.outcomes if found.failed]
        # A page is the same whether its day was made alone or in a range, which has no pictures of days that passed.
        if one.plot and failed:
            plots.setdefault(max(failed), {})[one.name] = one.plot
    for part in parts:
        shown = {**part.plots, **plots.get(part.day, {})}
        yield replace(part, outcomes=outcomes.get(part.day, ()), plots=shown, problem=problems.get(part.day))


def fingerprint_entry(table: LakeTable, day: date) -> dict[str, object]:
    return {"fingerprint": f"{table.fingerprint(day) or 0:016x}"}
