"""The figures of a day come from its report, and survive being stored."""

from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.operations.reports.daily_report import Part, Report, Table
from ml_assets.core.operations.reports.dashboard_day import MAX_FAILED, DaySummary, summarize_day

DAY = date(2025, 3, 1)


def report() -> Report:
    drifted = CheckOutcome("column_drift", DAY, False, "amount drifted", lines=[{"column": "a", "psi": 0.3, "ks": 0.1}])
    calm = CheckOutcome("feature_drift", DAY, True, "none drifted", lines=[{"psi": None, "ks": 0.02}])
    unknown = CheckOutcome("score_drift", DAY, None, "no reference")
    rows = {"rows_accepted": 90, "rows_quarantined": 10}
    metrics = Table("Metrics", [{"metric": "rmse", "value": 2.5, "low": 2.0, "high": 3.0, "rows": 10}])
    return Report(
        "small",
        DAY,
        [
            Part("validated_data", DAY, "published", facts=rows, outcomes=[drifted]),
            Part("features", DAY, outcomes=[calm, unknown]),
            Part("evaluation", DAY, tables=[metrics]),
            Part("deployment", DAY, facts={"decision": "none", "percent": 0}),
        ],
    )


def test_a_summary_has_the_figures_of_all_stages_whatever_the_metrics_are():
    quality = {"predicted_on": DAY, "kind": "estimated", "side": "champion", "metric": "rmse", "value": 2.6}
    summary = summarize_day(report(), [{**quality, "low": None, "high": None, "note": "not shown"}])
    assert (summary.verdict, summary.accepted, summary.quarantined) == ("flagged", 90, 10)
    assert summary.metrics == {"rmse": [2.5, 2.0, 3.0]}
    assert summary.drift == {"column_drift": 0.3, "feature_drift": 0.02}, "what was not evaluated has no figure"
    assert summary.drifted == ["column_drift"]
    assert summary.quality[0].value == 2.6


def test_a_stored_summary_is_read_as_it_was():
    summary = summarize_day(report())
    assert DaySummary.from_document(summary.to_document()) == summary


def test_a_day_without_a_report_of_its_rows_has_no_figures():
    summary = summarize_day(Report("small", DAY, []))
    assert (summary.verdict, summary.accepted, summary.metrics) == ("unknown", None, {})


def test_the_texts_of_a_summary_are_bounded():
    outcomes = [CheckOutcome(f"check_{number}", DAY, False, "x" * 10_000) for number in range(50)]
    summary = summarize_day(Report("small", DAY, [Part("features", DAY, outcomes=outcomes)]))
    assert len(summary.failed) == MAX_FAILED
    assert summary.failed_count == 50
    assert len(str(summary.to_document())) < 5_000
