"""Plots are SVGs, the same for the same rows in any order, and state the reason if there is nothing to draw."""

from xml.etree import ElementTree

import numpy as np
import pytest

from ml_assets.core.plots.evaluation import (
    calibration_plot,
    importance_plot,
    precision_recall_plot,
    roc_curve_plot,
    score_histogram_plot,
)

SVG = "{http://www.w3.org/2000/svg}"
ESTIMATE, UNDEFINED = (0.9, 0.85, 0.95), (float("nan"),) * 3
SCORE_PLOTS = {
    "roc": lambda labels, scores, estimate: roc_curve_plot(labels, scores, 0.5, estimate),
    "precision_recall": lambda labels, scores, estimate: precision_recall_plot(labels, scores, 0.5, estimate),
    "calibration": calibration_plot,
    "histogram": lambda labels, scores, estimate: score_histogram_plot(labels, scores, 0.5),
}


@pytest.fixture(params=SCORE_PLOTS)
def draw(request):
    return SCORE_PLOTS[request.param]


def texts(svg: bytes) -> list[str]:
    """Return the texts of a picture, in their order."""
    return [text for element in ElementTree.fromstring(svg).iter(f"{SVG}text") if (text := element.text)]


def test_a_plot_is_the_same_svg_of_600_by_400_in_any_row_order(draw):
    random = np.random.default_rng(0)
    scores = random.random(200)
    labels, order = (random.random(200) < scores).astype(int), random.permutation(200)
    svg = draw(labels, scores, ESTIMATE)
    root = ElementTree.fromstring(svg)
    assert (root.tag, root.attrib["width"], root.attrib["height"]) == (f"{SVG}svg", "600", "400")
    assert svg == draw(labels[order], scores[order], ESTIMATE)
    assert svg != draw(1 - labels, scores, ESTIMATE)


@pytest.mark.parametrize(
    "labels", [[], [0, 0], [1, 1], [1], [0, 1]], ids=["none", "negatives", "positives", "one row", "both"]
)
def test_every_kind_of_rows_gives_a_plot(draw, labels):
    svg = draw(labels, np.linspace(0, 1, len(labels)), UNDEFINED)
    assert texts(svg)
    assert b"nan" not in svg.lower()


def test_a_plot_of_many_rows_is_small(draw):
    scores = np.random.default_rng(0).random(100_000)
    assert len(draw((scores > 0.7).astype(int), scores, ESTIMATE)) < 40_000


def test_bad_scores_are_refused(draw):
    with pytest.raises(ValueError, match="not between 0 and 1"):
        draw([0, 1], [0.2, float("nan")], ESTIMATE)


def test_title_has_the_metric_and_its_interval():
    svg = roc_curve_plot([0, 1], [0.2, 0.7], 0.5, ESTIMATE)
    assert "ROC AUC 0.9 (interval 0.85 to 0.95)" in texts(svg)
    assert "threshold 0.5: recall 1.000, false positive rate 0" in texts(svg)


def test_title_without_interval_has_only_the_value():
    svg = calibration_plot([0, 1], [0.2, 0.7], (0.065, float("nan"), float("nan")))
    assert "Calibration: Brier score 0.065" in texts(svg)


@pytest.mark.parametrize("name", ["roc", "precision_recall"])
def test_a_plot_of_one_class_states_why_there_is_no_curve(name):
    svg = SCORE_PLOTS[name]([0] * 1200, np.zeros(1200), UNDEFINED)
    assert any(text.startswith("0 of 1,200 rows are positive") for text in texts(svg))
    assert any(text.endswith("is undefined") for text in texts(svg))


@pytest.mark.parametrize("name", ["calibration", "histogram"])
def test_a_plot_without_rows_says_so(name):
    assert "There are no rows" in texts(SCORE_PLOTS[name]([], [], UNDEFINED))


def test_precision_recall_marks_the_threshold():
    svg = precision_recall_plot([0, 1, 1, 0], [0.9, 0.8, 0.3, 0.1], 0.5, ESTIMATE)
    assert "threshold 0.5: precision 0.500, recall 0.500" in texts(svg)


def test_calibration_counts_the_rows_of_each_bin():
    assert {"2", "1"} <= set(texts(calibration_plot([0, 0, 1], [0.01, 0.02, 1.0], ESTIMATE)))


def test_importances_are_shares_of_all_features_best_first():
    drawn = texts(importance_plot({"b": 1.0, "a": 1.0, "c": 6.0, "unused": 0.0}, top=3))
    assert "Importance of 3 of 4 features" in drawn
    assert [text for text in drawn if text.endswith("%")] == ["75.0%", "12.5%", "12.5%"]
    assert [text for text in drawn if text in ("a", "b", "c", "unused")] == ["c", "a", "b"]


def test_the_importance_plot_does_not_depend_on_the_order_of_features():
    assert importance_plot({"a": 1.0, "b": 2.0}) == importance_plot({"b": 2.0, "a": 1.0})


@pytest.mark.parametrize("importances", [{}, {"a": 0.0}])
def test_an_importance_plot_without_importances_says_so(importances):
    assert any(text.startswith("No feature has any importance") for text in texts(importance_plot(importances)))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_an_invalid_importance_is_refused(value):
    with pytest.raises(ValueError, match="these are not: bad"):
        importance_plot({"good": 1.0, "bad": value})
