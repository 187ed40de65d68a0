"""Charts are SVG, in which every point lies where its axes say."""

from xml.etree import ElementTree

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.plots.chart import Chart, blank_chart, ticks

SVG = "{http://www.w3.org/2000/svg}"


def paths(chart: Chart) -> list[str]:
    return [path.attrib["d"] for path in ElementTree.fromstring(chart.svg()).iter(f"{SVG}path")]


def test_the_ends_of_the_axes_are_the_edges_of_the_panel():
    chart = Chart("title")
    panel = chart.panel(30, 330, (0, 10), (-1, 1), left=82)
    panel.line([0, 10, 5], [-1, 1, 0], "black")
    assert paths(chart) == ["M82 330L582 30L332 180"]


def test_points_that_cannot_be_told_apart_are_drawn_once():
    chart = Chart("title")
    chart.panel(0, 100, (0, 1), (0, 1), left=82).line([0, 1e-6, 2e-6, 1], [0, 0, 1e-6, 1], "black")
    assert paths(chart) == ["M82 100L582 0"]


def test_steps_have_each_value_from_the_previous_position_on():
    chart = Chart("title")
    chart.panel(0, 100, (0, 1), (0, 1), left=82).steps(np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.0, 1.0]), "black")
    assert paths(chart) == ["M82 0L82 100L332 100L332 0L582 0"]


def test_text_is_escaped():
    chart = Chart("a < b & c")
    panel = chart.panel(30, 330, (0, 1), (0, 1))
    panel.line([0, 1], [0, 1], "black", legend="<script>")
    panel.legend(0, 1)
    root = ElementTree.fromstring(chart.svg())
    assert [text.text for text in root.iter(f"{SVG}text")] == ["a < b & c", "<script>"]
    assert root.find(f"{SVG}title").text == "a < b & c"  # type: ignore[union-attr]


def test_a_blank_chart_states_its_reason_in_lines():
    root = ElementTree.fromstring(blank_chart("undefined", "one\ntwo"))
    assert [text.text for text in root.iter(f"{SVG}text")] == ["undefined", "one", "two"]


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_ticks_are_a_few_numbers_within_the_axis(low, width):
    numbers = [number for number, _ in ticks(low, low + width)]
    assert 3 <= len(numbers) <= 10
    assert all(low - width * 1e-6 <= number <= low + width * (1 + 1e-6) for number in numbers)


def test_a_label_longer_than_its_axis_stays_within_the_chart():
    chart = Chart("title")
    chart.panel(30, 300, (0, 1), (0, 1), 400).axes([], [], "a label of fifty characters, which is longer than its axis")
    (label,) = [text for text in ElementTree.fromstring(chart.svg()).iter(f"{SVG}text") if "fifty" in (text.text or "")]
    assert float(label.attrib["x"]) + len(label.text or "") * 3 <= 600
