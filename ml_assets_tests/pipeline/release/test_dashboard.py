"""The dashboard is written from the reports of the days, each of which is read once."""

import json
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.notifications.events import Kind, NotificationEvent, Severity
from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.core.tables.monitoring_schemas import PREDICTION_QUALITY_SCHEMA
from ml_assets.pipeline.asset_names import PREDICTION_QUALITY
from ml_assets.pipeline.release import dashboard
from ml_assets.pipeline.release.dashboard import write_dashboard
from ml_assets.pipeline.steps.report_store import Reports
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.notifications.open_notifications import show_notifications
from ml_assets.resources.notifications.outbox import Outbox
from ml_assets_tests.conftest import CHECKED

SPEC = ModelSpec.model_validate(CHECKED)
LAST = date(2025, 3, 1)
DAYS = [LAST - timedelta(days=number) for number in range(4, -1, -1)]


@pytest.fixture
def lake(tmp_path) -> Lake:
    lake = Lake(uri=str(tmp_path / "lake"))
    Reports(SPEC.name, lake).add(_part(day, 100) for day in DAYS)
    return lake


def _part(day: date, rows: int) -> Part:
    return Part("validated_data", day, "published", facts={"rows_accepted": rows, "rows_quarantined": 0})


def _page(lake: Lake) -> str:
    return lake.files.read(f"{SPEC.name}/reports/index.html").decode()


def _accepted(lake: Lake) -> dict[str, int]:
    days = json.loads(lake.files.read(f"{SPEC.name}/reports/index.json"))["days"]
    return {day: summary["accepted"] for day, (_, summary) in days.items()}


def test_a_run_reads_the_reports_that_changed_and_no_others(lake, monkeypatch):
    write_dashboard(SPEC, lake, [LAST], [])
    read = []
    report = Reports.report
    monkeypatch.setattr(Reports, "report", lambda self, day, *parts: read.append(day) or report(self, day, *parts))
    Reports(SPEC.name, lake).add([_part(DAYS[1], 250)])
    read.clear()
    write_dashboard(SPEC, lake, [LAST], [])
    assert read == [DAYS[1]], "also a day that is not one of the run's"
    assert _accepted(lake)[str(DAYS[1])] == 250


def test_a_run_that_changes_nothing_writes_nothing(lake, monkeypatch):
    write_dashboard(SPEC, lake, [LAST], [])
    monkeypatch.setattr(type(lake.files), "write", lambda *_: pytest.fail("something was written"))
    write_dashboard(SPEC, lake, [LAST], [])


@pytest.mark.parametrize("content", [b"", b"{}", b'{"layout": 1, "digest": "x", "days": {"2025-03-01": [{}, {}]}}'])
def test_figures_that_cannot_be_read_are_read_from_the_reports_again(lake, content):
    lake.files.write(f"{SPEC.name}/reports/index.json", content)
    write_dashboard(SPEC, lake, [LAST], [])
    assert [*_accepted(lake)] == [str(day) for day in DAYS]


def test_a_day_whose_report_was_removed_leaves_the_page(lake):
    write_dashboard(SPEC, lake, [LAST], [])
    for key in (f"{SPEC.name}/reports/{DAYS[0]}.html", f"{SPEC.name}/reports/{DAYS[0]}/validated_data.json"):
        lake.files.delete(key)
    write_dashboard(SPEC, lake, [LAST], [])
    assert str(DAYS[0]) not in _page(lake)


def test_a_backfill_of_old_days_leaves_the_newest_day_at_the_top(lake):
    write_dashboard(SPEC, lake, [LAST], [])
    Reports(SPEC.name, lake).add([_part(LAST - timedelta(days=300), 1)])
    write_dashboard(SPEC, lake, [LAST - timedelta(days=300)], [])
    assert f"Saturday {LAST}" in _page(lake)
    assert "2024" not in _page(lake)


def test_open_notifications_of_the_model_are_on_the_page(lake, tmp_path):
    outbox, now = Outbox(f"sqlite:///{tmp_path / 'notifications.db'}"), datetime(2025, 3, 1, tzinfo=UTC)
    events = [
        NotificationEvent(Kind.REJECTED_DAY, model, str(LAST), "raw", True, now, Severity.ERROR, f"half of {model}")
        for model in (SPEC.name, "another")
    ]
    outbox.record(events, [], now)
    show_notifications(lambda: outbox)
    try:
        write_dashboard(SPEC, lake, [LAST], [])
    finally:
        show_notifications(None)
    assert f"half of {SPEC.name}" in _page(lake)
    assert "half of another" not in _page(lake)


def test_a_failure_to_write_it_is_a_warning_and_fails_nothing(lake, monkeypatch):
    warnings = []
    context = type("Context", (), {"log": type("Log", (), {"warning": staticmethod(warnings.append)})})()
    monkeypatch.setattr(dashboard, "write_dashboard", lambda *_: 1 / 0)
    dashboard.update_dashboard(context, SPEC, lake, [LAST], [], None)  # type: ignore[arg-type]
    assert "could not be written: ZeroDivisionError" in warnings[0]


def test_estimated_and_realised_quality_is_on_the_page_and_is_read_again_when_it_changes(lake):
    table = lake.table(SPEC.name, PREDICTION_QUALITY, PREDICTION_QUALITY_SCHEMA)

    def commit(day: date, value: float, fingerprint: int) -> None:
        figures = {"side": "champion", "metric": "roc_auc", "value": value, "low": value - 0.1, "high": value + 0.1}
        rows = [
            {"predicted_on": day, "kind": "estimated", **figures},
            {"predicted_on": day - timedelta(days=2), "kind": "realised", **figures},
        ]
        table.commit({day: pa.Table.from_pylist(rows, PREDICTION_QUALITY_SCHEMA)}, {day: fingerprint})

    for day in DAYS:
        commit(day, 0.75, 1)
    write_dashboard(SPEC, lake, [LAST], [], table)
    page = _page(lake)
    assert f"Predictions of {LAST}, estimated" in page
    assert f"Predictions of {DAYS[2]}, realised" in page
    commit(LAST, 0.625, 2)
    write_dashboard(SPEC, lake, [LAST], [], table)
    assert "0.625" in _page(lake)
