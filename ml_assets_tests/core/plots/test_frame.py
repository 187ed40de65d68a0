"""A frame is drawn once, and what one plot adds to it is not in the next."""

from ml_assets.core.plots.figure import new_figure
from ml_assets.core.plots.frame import Frame


def new_frame():
    figure, (axes,) = new_figure()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return Frame(figure)


def plot(frame, values, title="title", legend=None):
    (axes,) = frame.clear()
    axes.plot([0, 1], values, label="values")
    axes.bar([0.5], [0.2])
    return frame.render(title, legend)


def test_a_plot_shows_what_was_added_and_its_title():
    frame = new_frame()
    empty = frame.render("")
    assert len({empty, plot(frame, [0, 1]), plot(frame, [1, 0]), plot(frame, [0, 1], "another title")}) == 4


def test_a_plot_is_the_same_whatever_was_drawn_before():
    frame = new_frame()
    plot(frame, [1, 0], "another title", legend="upper left")
    assert plot(frame, [0, 1]) == plot(new_frame(), [0, 1])


def test_what_a_plot_added_before_it_failed_is_removed():
    frame = new_frame()
    (axes,) = frame.clear()
    axes.axhline(0.5)
    assert plot(frame, [0, 1]) == plot(new_frame(), [0, 1])


def test_axes_keep_their_limits():
    frame = new_frame()
    plot(frame, [5, 9])
    assert frame.clear()[0].get_ylim() == (0, 1)
