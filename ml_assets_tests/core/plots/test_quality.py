"""The plot of quality by day draws what is known, and says when nothing is."""

from datetime import date, timedelta

from ml_assets.core.plots.quality import quality_plot


def row(number: int, **values) -> dict:
    empty = dict.fromkeys(("estimated", "low", "high", "realised", "holdout_value"))
    return {"predicted_on": date(2025, 1, 1) + timedelta(days=number), **empty, **values}


def test_estimated_and_realised_values_have_a_legend():
    rows = [row(0, estimated=0.5, low=0.4, high=0.6, realised=0.55, holdout_value=0.6), row(1, estimated=0.4), row(2)]
    svg = quality_plot("recall", rows).decode()
    assert all(text in svg for text in ("recall of predictions", "estimated", "realised", "on the holdout", "01-02"))


def test_days_without_values_are_a_sentence():
    assert "No day has an estimated or realised value" in quality_plot("recall", [row(0)]).decode()
