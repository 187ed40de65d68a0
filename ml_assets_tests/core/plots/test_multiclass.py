"""Plots of several classes are SVGs, the same for the same rows in any order; rare classes are shown together."""

from xml.etree import ElementTree

import numpy as np
import pytest

from ml_assets.core.plots.multiclass import class_calibration_plot, class_metrics_plot, confusion_matrix_plot

SVG = "{http://www.w3.org/2000/svg}"
ESTIMATE, UNDEFINED = (0.9, 0.85, 0.95), (float("nan"),) * 3
NAMES = ["bike", "car", "a train with a long name"]


def _draw_confusion(classes, probabilities, names, estimate):
    return confusion_matrix_plot(classes, probabilities.argmax(axis=1), names, estimate)


@pytest.fixture(params=[_draw_confusion, class_calibration_plot], ids=["confusion", "calibration"])
def draw(request):
    return request.param


def texts(svg: bytes) -> list[str]:
    return [text for element in ElementTree.fromstring(svg).iter(f"{SVG}text") if (text := element.text)]


def _rows(count, classes=3):
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(classes), count)
    return np.array([random.choice(classes, p=row) for row in probabilities], dtype=int), probabilities


def test_a_plot_is_the_same_svg_in_any_row_order(draw):
    classes, probabilities = _rows(300)
    order = np.random.default_rng(1).permutation(300)
    svg = draw(classes, probabilities, NAMES, ESTIMATE)
    assert ElementTree.fromstring(svg).attrib["width"] == "600"
    assert svg == draw(classes[order], probabilities[order], NAMES, ESTIMATE)
    assert svg != draw((classes + 1) % 3, probabilities, NAMES, ESTIMATE)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_every_number_of_rows_gives_a_plot(draw, count):
    classes, probabilities = _rows(2)
    svg = draw(classes[:count], probabilities[:count], NAMES, UNDEFINED)
    assert ("There are no rows" in texts(svg)) == (not count)
    assert b"nan" not in svg.lower()


def test_a_confusion_matrix_counts_rows_and_shares_of_the_true_class():
    svg = confusion_matrix_plot([0, 0, 0, 1], [0, 0, 1, 1], ["no", "yes"], UNDEFINED)
    assert [text for text in texts(svg) if text[-1].isdigit() or text[-1] == "%"] == [
        "2",
        "67%",
        "1",
        "33%",
        "1",
        "100%",
    ]


def test_beyond_twelve_classes_the_rare_ones_are_shown_together():
    names = [f"class {number}" for number in range(20)]
    classes = np.repeat(np.arange(20), np.arange(20, 0, -1))
    svg = confusion_matrix_plot(classes, classes, names, UNDEFINED)
    shown = texts(svg)
    assert "all others" in shown
    assert "class 10" in shown
    assert "class 11" not in shown


def test_undefined_metrics_of_a_class_are_left_out():
    svg = class_metrics_plot({"bike": (ESTIMATE, UNDEFINED), "car": (UNDEFINED, UNDEFINED)})
    assert "precision" in texts(svg)
    assert "recall" not in texts(svg)
    assert b"nan" not in svg.lower()
