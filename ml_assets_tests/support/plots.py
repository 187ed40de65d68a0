"""Runs without plots: most of the time of a small model goes into drawing, and few tests look at what is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from ml_assets.core.metrics.scored_rows import TaskMetrics
from ml_assets.pipeline.evaluation.plots import plot_names

SVG = b"<svg/>"


@contextmanager
def skip_drawing() -> Iterator[None]:
    """Replace the plots of models and of drift by fixed bytes until the block ends."""

    def plots(*positional: object) -> dict[str, bytes]:
        task = next(value for value in positional if isinstance(value, TaskMetrics))
        return dict.fromkeys(plot_names(task.outputs), SVG)

    with (
        patch("ml_assets.pipeline.evaluation.plots.model_plots", plots),
        patch("ml_assets.pipeline.evaluation.experiments.model_plots", plots),
        patch("ml_assets.core.plots.drift.drift_plot", lambda *_: SVG),
    ):
        yield
