"""The dashboard has every metric that a model has, and figures of consecutive days."""

from dataclasses import replace

from ml_assets.core.operations.reports.dashboard import DAYS_SHOWN
from ml_assets.core.operations.reports.dashboard_page import render_dashboard
from ml_assets_tests.core.operations.reports.dashboard_cases import LAST, dashboard
from ml_assets_tests.core.operations.reports.test_html import Elements


def test_estimated_and_realised_metrics_come_first_and_a_model_without_them_shows_its_own():
    assert dashboard().metric_names() == ["roc_auc", "f1"]
    assert len(list(dashboard().quality_charts())) == 2
    of_regression = dashboard(metrics=("rmse", "mean_absolute_error"))
    assert of_regression.metric_names() == ["rmse", "mean_absolute_error"]
    assert "rmse" in Elements(render_dashboard(of_regression)).text()


def test_the_newest_value_of_each_metric_is_a_number_on_the_page():
    newest = dashboard().newest_metrics
    assert [*newest] == [
        f"Model of {LAST}, on its holdout",
        f"Predictions of {LAST}, estimated",
        "Predictions of 2025-02-22, realised",
    ]
    assert newest[f"Predictions of {LAST}, estimated"].keys() == {"roc_auc"}


def test_a_model_without_a_canary_has_no_plots_of_one():
    calm = replace(dashboard(), summaries=dashboard().summaries[-9:])
    assert not list(calm.canary_charts())
    assert len(list(dashboard().canary_charts())) == 2


def test_the_days_are_consecutive_and_at_most_sixty():
    assert len(dashboard(days=60).days) == DAYS_SHOWN
    with_gap = replace(dashboard(), summaries=[dashboard().summaries[0], dashboard().summaries[-1]])
    assert with_gap.days == dashboard().days


def test_a_model_that_decides_nothing_has_no_plot_of_decisions():
    undecided = [replace(summary, predicted={"positive_decisions": 0}) for summary in dashboard().summaries]
    assert len(list(replace(dashboard(), summaries=undecided).volume_charts())) == 1
    assert len(list(dashboard().volume_charts())) == 2
