"""Features are lines from top to bottom, with their names beside them."""

from ml_assets.core.plots.lines import label_lines, lines_figure


def test_the_first_line_is_at_the_top_and_every_line_has_its_name():
    _, axes = lines_figure(2, 6, 3.0)
    label_lines(axes, ["amount", "hour"])
    assert [(text.get_text(), text.xy[1]) for text in axes.texts] == [("amount", 0), ("hour", 1)]
    bottom, top = axes.get_ylim()
    assert bottom > 1 > 0 > top


def test_long_names_get_more_room_but_leave_the_plot_some():
    left = [lines_figure(2, longest, 3.0)[0].subplotpars.left for longest in (5, 30, 300)]
    assert left[0] < left[1] < left[2] == 0.6
