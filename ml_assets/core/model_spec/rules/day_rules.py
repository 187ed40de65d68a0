"""Rules for the number of days that a model needs, and for the marker of a complete day."""

from datetime import timedelta

from ml_assets.core.model_spec.automation import Sensor
from ml_assets.core.model_spec.source import DAY_PLACEHOLDER, Source


def check_days(source: Source, window: timedelta, holdout: timedelta, label_delay: timedelta) -> None:
    """Check that a source with an end has enough days for a model.

    Args:
        source: the source.
        window: `training.window`.
        holdout: `evaluation.holdout`.
        label_delay: the delay of labels, which lies both before and after the holdout.

    Raises:
        ValueError: when the source has too few days for a model.
    """
    if source.end is None:
        return
    days, needed = (source.end - source.start).days + 1, (window + holdout + 2 * label_delay).days
    if needed > days:
        raise ValueError(
            f"training.window: a model needs {needed} days (training.window {window.days}, evaluation.holdout "
            f"{holdout.days}, twice label_delay {label_delay.days}), but from source.start {source.start} to "
            f"source.end {source.end} there are {days}; shorten the windows, or correct start and end"
        )


def check_marker(source: Source, sensor: Sensor) -> None:
    """Check that each day has a folder that can hold its marker.

    Raises:
        ValueError: names the field and the reason.
    """
    if sensor.marker is not None and not DAY_PLACEHOLDER.search(source.files.rpartition("/")[0]):
        raise ValueError(
            "sensor.marker: source.files must have {day} in a folder, because the marker is in that folder"
        )
