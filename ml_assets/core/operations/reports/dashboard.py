"""The dashboard of a model: its live versions, the figures of the last 60 days, and the open notifications."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml_assets.core.operations.reports.dashboard_day import DaySummary, Quality
from ml_assets.core.plots.colours import BLUE, DARK_GREY, GREY, ORANGE, RED
from ml_assets.core.plots.day_series import DaySeries, plot_day_series
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, Move

DAYS_SHOWN = 60
MAX_METRICS = 8
COLOURS = {CHAMPION: BLUE, CHALLENGER: ORANGE}
ESTIMATED, REALISED = "estimated", "realised"
Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class OpenNotification:
    """An open notification: its time, its severity, the days that it concerns, and its message."""

    at: datetime
    severity: str
    partition: str
    message: str


@dataclass(frozen=True)
class Dashboard:
    """The contents of the dashboard.

    summaries: summaries of the days with a report, ascending. move: the newest release; None before the first.
    notifications: the open notifications; None if they are unknown. bounds: minimum and maximum of each metric with a
    gate.
    """

    model: str
    summaries: Sequence[DaySummary]
    move: Move | None = None
    notifications: Sequence[OpenNotification] | None = None
    bounds: Mapping[str, Bounds] = field(default_factory=dict)

    @property
    def newest(self) -> DaySummary | None:
        """The newest day with a report."""
        return self.summaries[-1] if self.summaries else None

    @cached_property
    def days(self) -> list[date]:
        """The days of the charts: up to 60 consecutive days through the newest."""
        if not self.summaries:
            return []
        last = self.summaries[-1].day
        first = max(self.summaries[0].day, last - timedelta(days=DAYS_SHOWN - 1))
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    @cached_property
    def by_day(self) -> dict[date, DaySummary]:
        """The summaries by day."""
        return {summary.day: summary for summary in self.summaries}

    def live(self) -> Iterator[tuple[str, str]]:
        """Yield each live version or state as a name and a sentence."""
        if self.move is None or (champion := self.move.after.champion) is None:
            yield "champion", "none: no model has passed its gates yet"
            return
        release = self.move.after
        yield "champion", f"version {champion.number}, the model of {champion.day}"
        if release.challenger is not None:
            since = f" since {release.canary_since}" if release.canary_since else ""
            challenger = f"version {release.challenger.number}, the model of {release.challenger.day}"
            yield "canary", f"{challenger}, for {release.percent} % of the entities{since}"
        if release.paused:
            yield "paused", "automatic decisions are paused"
        yield "last release", f"{self.move.action} on {self.move.day}: {self.move.reason}"

    def metric_names(self) -> list[str]:
        """Return up to 8 metrics that get a chart: first those with estimated or realised values, then those with
        a gate, then all others.
        """
        measured = {entry.metric for summary in self.summaries for entry in summary.quality if entry.value is not None}
        holdout = dict.fromkeys(name for summary in reversed(self.summaries) for name in summary.metrics)
        known = {**holdout, **dict.fromkeys(sorted(measured))}
        rank = {name: (name not in measured, name not in self.bounds) for name in known}
        return sorted(known, key=lambda name: rank[name])[:MAX_METRICS]

    @cached_property
    def newest_metrics(self) -> dict[str, dict[str, float]]:
        """The newest value of each metric in `metric_names`, by the rows that it was measured on."""
        newest: dict[str, dict[str, float]] = {}
        evaluated = next((summary for summary in reversed(self.summaries) if summary.metrics), None)
        names = self.metric_names()
        if evaluated is not None:
            values = {name: evaluated.metrics[name][0] for name in names if name in evaluated.metrics}
            newest[f"Model of {evaluated.day}, on its holdout"] = _known(values)
        predicted = self._predicted_quality()
        for kind in (ESTIMATED, REALISED):
            days = [key[2] for key, entry in predicted.items() if key[0] == kind and entry.value is not None]
            if days:
                entries = {name: predicted.get((kind, name, max(days))) for name in names}
                values = {name: _value(entry, "value") for name, entry in entries.items()}
                newest[f"Predictions of {max(days)}, {kind}"] = _known(values)
        return newest

    @cached_property
    def quality_notes(self) -> list[str]:
        """Reasons why the quality of the champion's newest predictions is unknown, such as those of a regression."""
        newest = next((summary.quality for summary in reversed(self.summaries) if summary.quality), ())
        notes = [entry.note for entry in newest if entry.side == CHAMPION and entry.value is None and entry.note]
        return [*dict.fromkeys(notes)]

    def quality_charts(self) -> Iterator[bytes]:
        """Plot each metric by day: on the holdout of the model, and estimated and realised on predictions."""
        predicted = self._predicted_quality()
        for name in self.metric_names():
            holdout = [self._metric(day, name) for day in self.days]
            values, low, high = np.array(holdout, dtype=np.float64).reshape(-1, 3).T
            series = [DaySeries("of the day's model, on its holdout", values, GREY, low=low, high=high)]
            for kind, colour in ((ESTIMATED, ORANGE), (REALISED, BLUE)):
                entries = [predicted.get((kind, name, day)) for day in self.days]
                ends = [[_value(entry, end) for entry in entries] for end in ("value", "low", "high")]
                values, low, high = np.array(ends, dtype=np.float64)
                series.append(DaySeries(f"{kind}, of the champion's predictions", values, colour, low=low, high=high))
            bounds = [bound for bound in self.bounds.get(name, ()) if bound is not None]
            if (chart := plot_day_series(name.replace("_", " "), self.days, series, bounds)) is not None:
                yield chart

    def drift_charts(self) -> Iterator[bytes]:
        """Plot the largest distance of a column from its reference by day, for each drift check."""
        names = dict.fromkeys(name for summary in self.summaries for name in summary.drift)
        for name in names:
            values = self._values(lambda summary, name=name: summary.drift.get(name))
            failed = np.array([day in self.by_day and name in self.by_day[day].drifted for day in self.days])
            series = [DaySeries(name, values, BLUE, marked=failed)]
            chart = plot_day_series(f"{name.replace('_', ' ')}: largest distance", self.days, series, from_zero=True)
            if chart is not None:
                yield chart

    def volume_charts(self) -> Iterator[bytes]:
        """Plot the accepted and quarantined rows by day, and the positive decisions."""
        rows = [
            DaySeries("accepted", self._values(lambda summary: summary.accepted), BLUE, "bars"),
            DaySeries("quarantined", self._values(lambda summary: summary.quarantined), RED, "bars"),
        ]
        positives = self._values(lambda summary: summary.predicted.get("positive_decisions"))
        # A model without decisions, such as a regression, has no positive decisions.
        positives = positives if np.nansum(positives) else np.full(len(self.days), np.nan)
        for title, series in (
            ("rows", rows),
            ("positive decisions", [DaySeries("positive decisions", positives, DARK_GREY, "bars")]),
        ):
            if (chart := plot_day_series(title, self.days, series)) is not None:
                yield chart

    def canary_charts(self) -> Iterator[bytes]:
        """Plot the canary's share of entities and the mean scores of both models, for days with a canary."""
        share = self._values(lambda summary: summary.release.get("percent"))
        if not np.nan_to_num(share).any():
            return
        means = {
            side: self._values(lambda summary, side=side: summary.predicted.get(f"{side}_mean_score"))
            for side in COLOURS
        }
        scores = [DaySeries(side, values, COLOURS[side]) for side, values in means.items()]
        shares = [DaySeries("share", share, ORANGE, "bars")]
        for title, series in (("share of the canary, %", shares), ("mean score", scores)):
            if (chart := plot_day_series(title, self.days, series)) is not None:
                yield chart

    def decisions(self) -> list[dict[str, object]]:
        """Return the days on which the deployment decided on a change, newest first."""
        return [
            {"day": summary.day, "decision": summary.release["decision"], "reason": summary.release.get("reason")}
            for summary in reversed(self.summaries)
            if summary.release.get("decision") not in (None, "none", "hold")
        ]

    def _metric(self, day: date, name: str) -> Sequence[float | None]:
        summary = self.by_day.get(day)
        return summary.metrics.get(name, (None, None, None)) if summary else (None, None, None)

    def _predicted_quality(self) -> dict[tuple[str, str, date], Quality]:
        """Return the most recently reported quality of the champion by kind, metric and day of the predictions."""
        return {
            (entry.kind, entry.metric, entry.predicted_on): entry
            for summary in self.summaries
            for entry in summary.quality
            if entry.side == CHAMPION
        }

    def _values(self, read: Callable[[DaySummary], float | None]) -> NDArray[np.float64]:
        numbers = [read(self.by_day[day]) if day in self.by_day else None for day in self.days]
        return np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _value(entry: Quality | None, end: str) -> float | None:
    return None if entry is None else getattr(entry, end)
