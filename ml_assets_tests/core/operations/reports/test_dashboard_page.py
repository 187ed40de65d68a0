"""The dashboard is self-contained, escapes all text, and says what is not known."""

from dataclasses import replace
from datetime import timedelta

from ml_assets.core.operations.reports.dashboard import Dashboard
from ml_assets.core.operations.reports.dashboard_day import Quality
from ml_assets.core.operations.reports.dashboard_page import render_dashboard
from ml_assets_tests.core.operations.reports.dashboard_cases import LAST, NASTY, dashboard, summary
from ml_assets_tests.core.operations.reports.test_html import Elements


def test_the_page_is_self_contained_and_escapes_all_text():
    page = Elements(render_dashboard(dashboard(NASTY)))
    assert not {"script", "link", "img", "iframe"} & set(page.names)
    links = [value for name, value in page.attributes if name in ("href", "src")]
    assert links
    assert all(link and link.endswith(".html") and "/" not in link for link in links)
    assert NASTY in page.text()


def test_each_day_links_to_its_page_and_shows_its_verdict():
    page = Elements(render_dashboard(dashboard()))
    links = {value for name, value in page.attributes if name == "href"}
    assert {f"{summary.day}.html" for summary in dashboard().summaries} == links
    assert ("class", "rejected") in page.attributes


def test_the_page_says_what_is_not_known():
    nothing = Elements(render_dashboard(Dashboard("small", [])))
    assert "No day has a report yet" in nothing.text()
    assert "no model has passed its gates yet" in nothing.text()
    assert "no access to the notifications" in nothing.text()
    assert "None when this page was written" in Elements(
        render_dashboard(replace(dashboard(), notifications=[]))
    ).text()  # fmt: skip


def test_a_first_day_says_why_its_charts_are_empty():
    first = replace(summary(0), metrics={}, quality=[], drift={}, release={}, predicted={})
    text = Elements(render_dashboard(Dashboard("small", [first], None, []))).text()
    for reason in (
        "No model was evaluated on the days of this page",
        "the second day on which a check of drift was evaluated",
        "the second day that has rows",
        "No canary on the days of this page",
    ):
        assert reason in text


def test_predictions_without_an_estimate_say_why():
    entry = Quality(LAST, "estimated", "champion", "rmse", None, None, None, "a regression is not estimated: because")
    days = [summary(2), replace(summary(1), quality=[entry, replace(entry, metric="mae")])]
    text = Elements(render_dashboard(Dashboard("small", days))).text()
    assert text.count("A regression is not estimated: because") == 1


def test_more_days_with_failed_checks_than_are_listed_are_counted():
    days = [replace(summary(18), day=LAST - timedelta(days=number)) for number in range(14)][::-1]
    assert "Checks failed on 4 earlier days too" in Elements(render_dashboard(Dashboard("small", days))).text()
