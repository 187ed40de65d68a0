"""Each feature has a line of its own, in order from top to bottom."""

import re
from xml.etree import ElementTree

from ml_assets.core.plots.feature_lines import feature_lines

SVG = "{http://www.w3.org/2000/svg}"


def test_the_names_stand_from_top_to_bottom_and_more_features_take_more_height():
    names = [f"feature_{number}" for number in range(5)]
    chart, _ = feature_lines("Importance", names, (0.0, 1.0), "gain")
    texts = {
        element.text: float(element.attrib["y"]) for element in ElementTree.fromstring(chart.svg()).iter(f"{SVG}text")
    }
    assert [name for name in texts if name in names] == names
    assert sorted(names, key=lambda name: texts[name]) == names
    fewer, _ = feature_lines("Importance", names[:2], (0.0, 1.0), "gain")
    heights = [float(ElementTree.fromstring(of.svg()).attrib["viewBox"].split()[3]) for of in (fewer, chart)]
    assert heights[0] < heights[1]


def test_features_are_lines_from_top_to_bottom_and_long_names_leave_room():
    lefts = []
    for names in (["amount", "hour"], ["x" * 400, "hour"]):
        chart, panel = feature_lines("title", names, (0, 1), "share")
        panel.points([0, 0], [0, 1], "black")
        (first, second) = re.findall(
            r"M(\S+) (\S+)h0", [path.attrib["d"] for path in ElementTree.fromstring(chart.svg()).iter(f"{SVG}path")][-1]
        )
        assert float(first[1]) < float(second[1])
        lefts.append(float(first[0]))
    assert lefts[0] < lefts[1] == 360
