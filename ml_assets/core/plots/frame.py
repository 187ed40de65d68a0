"""Frames: the part of a plot that is the same for all models, drawn once in a process."""

from typing import TYPE_CHECKING, Literal

from ml_assets.core.plots.figure import png_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Frame:
    """A figure whose axes, ticks, grid and axis labels are drawn once; each plot is drawn over a copy of that image.

    Ticks and their labels take most of the time of a plot. Limits and ticks have to be set before, since they do not
    follow what is added later. A frame is used by one thread at a time.
    """

    def __init__(self, figure: "Figure"):
        """Draw a figure with everything that all plots in this frame share."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self._canvas = FigureCanvasAgg(figure)
        self._canvas.draw()
        self._image = self._canvas.copy_from_bbox(figure.bbox)
        self._shared = [(axes, set(axes.get_children())) for axes in figure.axes]

    def clear(self) -> "list[Axes]":
        """Remove what an earlier plot added, and return the axes, from top to bottom."""
        for axes, shared in self._shared:
            for artist in set(axes.get_children()) - shared:
                artist.remove()
            axes.containers.clear()
            axes.set_prop_cycle(None)
        return [axes for axes, _ in self._shared]

    def render(
        self, title: str, legend: str | None = None, title_location: Literal["center", "right"] = "center"
    ) -> bytes:
        """Return the PNG of the frame with what was added to its axes since `clear`.

        Args:
            title: title above the first axes.
            legend: location of the legend of the first axes; None for a plot without one.
            title_location: where the title is, in relation to the axes; a frame is always used with the same.
        """
        first, _ = self._shared[0]
        text = first.set_title(title, fontsize=11, loc=title_location)
        if legend:
            first.legend(loc=legend, fontsize=8)
        self._canvas.restore_region(self._image)
        for axes, shared in self._shared:
            added = [artist for artist in axes.get_children() if artist not in shared]
            for artist in sorted(added, key=lambda artist: artist.get_zorder()):
                axes.draw_artist(artist)
        first.draw_artist(text)
        return png_bytes(self._canvas)
