"""Figures are rendered to PNG bytes that depend on nothing but the figure."""

from ml_assets.core.plots.figure import empty_figure, plot_bytes


def test_equal_figures_give_equal_png_bytes_without_a_version():
    plots = []
    for _ in range(2):
        figure = empty_figure(3, 2)
        figure.subplots().plot([0, 1], [1, 0])
        plots.append(plot_bytes(figure))
    assert plots[0] == plots[1]
    assert plots[0].startswith(b"\x89PNG")
    assert b"Software" not in plots[0]


def test_the_size_of_a_figure_is_in_hundreds_of_dots():
    png = plot_bytes(empty_figure(3, 2))
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (300, 200)
