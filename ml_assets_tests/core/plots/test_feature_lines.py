"""Each feature has a line of its own, in order from top to bottom."""

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
