"""Colours are those of SVG, and classes can be told apart."""

from ml_assets.core.plots.colours import BLUE, CLASSES, LOW_TO_HIGH, channels


def test_a_colour_has_three_channels():
    assert channels(BLUE) == (47, 109, 179)
    assert channels("#000000") == (0, 0, 0)


def test_no_two_classes_or_levels_share_a_colour():
    assert len(set(CLASSES)) == len(CLASSES)
    assert len(set(LOW_TO_HIGH)) == len(LOW_TO_HIGH)
