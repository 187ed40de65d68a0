"""The dashboard of a model in the lake: the page `<model>/reports/index.html`, and `index.json` with its figures.

The figures of a day are read again only when a part of its report has changed, so that a run reads only the reports of
its own days.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.steps.report_store import DASHBOARD, Reports
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.observability.redaction import redact_text

if TYPE_CHECKING:
    from ml_assets.core.operations.reports.dashboard import Dashboard, OpenNotification
    from ml_assets.core.operations.reports.dashboard_day import DaySummary
    from ml_assets.core.release.release_state import Move
    from ml_assets.resources.lake.table import Table

MAX_NOTIFICATIONS = 20
FIGURES = "index.json"
# Stored with the parts of the report, which are named after assets.
QUALITY_ROWS = "rows of prediction_quality"
# Raise this when the figures of a day are read differently.
LAYOUT = 2
Entry = tuple[Mapping[str, str], "DaySummary"]


def update_dashboard(
    context: dg.AssetExecutionContext,
    spec: ModelSpec,
    lake: Lake,
    days: Sequence[date],
    moves: "Sequence[Move]",
    quality: "Table | None",
) -> None:
    """Rewrite the dashboard if something on it changed. A failure is a warning in the log of the run.

    Args:
        context: the execution context of the run.
        spec: the model.
        lake: holds the reports.
        days: days of the run.
        moves: all releases, in their order.
        quality: the table `prediction_quality`; None for a model without it.
    """
    try:
        write_dashboard(spec, lake, days, moves, quality)
    except Exception as error:
        context.log.warning(f"the dashboard of {spec.name} could not be written: {type(error).__name__}: {error}")


def write_dashboard(
    spec: ModelSpec, lake: Lake, days: Sequence[date], moves: "Sequence[Move]", quality: "Table | None" = None
) -> None:
    """Rewrite the dashboard if something on it changed; see `update_dashboard`."""
    from ml_assets.core.operations.reports.dashboard import DAYS_SHOWN, Dashboard
    from ml_assets.core.operations.reports.dashboard_page import render_dashboard

    reports, root = Reports(spec.name, lake), f"{spec.name}/reports/"
    kept, old_digest = _read_figures(lake, root)
    newest = max([*days, *kept], default=None) if kept else max((day for day, _ in reports.files()), default=None)
    if newest is None:
        return
    signatures = reports.signatures(newest - timedelta(days=DAYS_SHOWN - 1), newest)
    entries = _entries(reports, signatures, quality, kept)
    dashboard = Dashboard(
        spec.name,
        [summary for _, summary in entries.values()],
        moves[-1] if moves else None,
        _notifications(spec.name),
        {name: (gate.minimum, gate.maximum) for name, gate in spec.gates.items()},
    )
    figures = json.dumps(
        {day.isoformat(): [signature, summary.to_document()] for day, (signature, summary) in entries.items()}
    )
    digest = _digest(figures, dashboard)
    if digest == old_digest:
        return
    page = redact_text(render_dashboard(dashboard).decode()).encode()
    lake.files.write(f"{root}{DASHBOARD}", page)
    # Written last: if a run dies between the two writes, the next run writes both again.
    lake.files.write(f"{root}{FIGURES}", f'{{"layout": {LAYOUT}, "digest": "{digest}", "days": {figures}}}'.encode())


def _entries(
    reports: Reports,
    signatures: Mapping[date, Mapping[str, str]],
    quality: "Table | None",
    kept: Mapping[date, Entry],
) -> dict[date, Entry]:
    """Return the figures of days with the signatures of their sources; figures whose sources are unchanged are kept."""
    from ml_assets.core.operations.reports.dashboard_day import summarize_day

    sources = {day: {**parts, **_quality_source(quality, day)} for day, parts in signatures.items()}
    changed = {day: signatures[day] for day, source in sources.items() if day not in kept or kept[day][0] != source}
    entries = {day: kept[day] for day in sources if day not in changed}
    for day, report in reports.reports(changed).items():
        rows = quality.read([day]).to_pylist() if quality is not None and _quality_source(quality, day) else []
        entries[day] = sources[day], summarize_day(report, rows)
    return dict(sorted(entries.items()))


def _quality_source(quality: "Table | None", day: date) -> dict[str, str]:
    fingerprint = quality.fingerprint(day) if quality is not None else None
    return {} if fingerprint is None else {QUALITY_ROWS: f"{fingerprint:x}"}


def _read_figures(lake: Lake, root: str) -> tuple[dict[date, Entry], str]:
    """Read the figures that the last run wrote, with the digest of its page; none if their layout is outdated."""
    from ml_assets.core.operations.reports.dashboard_day import DaySummary

    with suppress(FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        document: dict[str, Any] = json.loads(lake.files.read(f"{root}{FIGURES}"))
        if document["layout"] == LAYOUT:
            return {
                date.fromisoformat(day): (signature, DaySummary.from_document(summary))
                for day, (signature, summary) in document["days"].items()
            }, document["digest"]
    return {}, ""


def _notifications(model: str) -> "list[OpenNotification] | None":
    from ml_assets.core.operations.reports.dashboard import OpenNotification
    from ml_assets.resources.notifications.database import NotificationsUnavailable
    from ml_assets.resources.notifications.open_notifications import open_notifications

    try:
        notifications = open_notifications(model, MAX_NOTIFICATIONS)
    except NotificationsUnavailable:
        return None
    if notifications is None:
        return None
    events = [notification.event for notification in notifications]
    return [OpenNotification(event.at, event.severity.value, event.partition, event.message) for event in events]


def _digest(figures: str, dashboard: "Dashboard") -> str:
    parts = [figures, repr(dashboard.move), repr(dashboard.notifications), repr(sorted(dashboard.bounds.items()))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
