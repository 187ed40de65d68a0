"""Rules for the days of a model against the days that its source has."""

from datetime import timedelta

from ml_assets.core.model_spec.source import Source


def check_days(source: Source, window: timedelta, holdout: timedelta, label_delay: timedelta) -> None:
    """Check that a source with an end has enough days for a model.

    Args:
        source: the source.
        window: `training.window`.
        holdout: `evaluation.holdout`.
        label_delay: the delay of labels, which lies behind the holdout and before it.

    Raises:
        ValueError: when no day of the source has a model.
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
