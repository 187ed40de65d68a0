"""The time split: the days of fit, early stopping and holdout of a model of day D."""

from dataclasses import dataclass
from datetime import date, timedelta

from ml_assets.core.model_spec import ModelSpec


class HistoryTooShort(ValueError):
    """The model's data begins too late for a model of the requested day."""


@dataclass(frozen=True)
class Split:
    """Days of a model, each list in ascending order.

    `window` is `fit` followed by `validation`, the early-stopping part. The `label_delay` days between window and
    holdout are not used, because their labels were not known when the holdout began.
    """

    fit: list[date]
    validation: list[date]
    holdout: list[date]

    @property
    def window(self) -> list[date]:
        """All days of the training window."""
        return self.fit + self.validation

    @property
    def first(self) -> date:
        """The earliest day that is used."""
        return self.fit[0]


def split_days(spec: ModelSpec, as_of: date) -> Split:
    """Split the days of the model of day `as_of`.

    Labels are known through L = as_of - label_delay; the holdout is the last `holdout` days up to L; the training
    window ends `label_delay` before the holdout begins and is `window` days long.

    Raises:
        HistoryTooShort: when the first of these days is before the start of the source.
    """
    holdout = _days_up_to(as_of - spec.label_delay, spec.evaluation.holdout)
    window = _days_up_to(holdout[0] - timedelta(days=1) - spec.label_delay, spec.training.window)
    if window[0] < spec.source.start:
        raise HistoryTooShort(
            f"{spec.name}: the model of {as_of} would be trained on days from {window[0]}, but the data begins on "
            f"{spec.source.start}; the first day that has a model is {first_model_day(spec)}"
        )
    fit_days = len(window) - spec.training.validation.days
    return Split(fit=window[:fit_days], validation=window[fit_days:], holdout=holdout)


def first_model_day(spec: ModelSpec) -> date:
    """Return the first day that has a model, whose training window begins with the source."""
    days_read = 2 * spec.label_delay + spec.evaluation.holdout + spec.training.window
    return spec.source.start + days_read - timedelta(days=1)


def searched_on(spec: ModelSpec, as_of: date) -> date:
    """Return the day as of which the parameters of the model of day `as_of` are searched.

    A search runs every `training.search.every` days from the first day that has a model on. Without a search it is the
    day itself.

    Raises:
        HistoryTooShort: before the first day that has a model.
    """
    split_days(spec, as_of)
    every = spec.training.search.every.days if spec.training.search else 1
    return as_of - timedelta(days=(as_of - first_model_day(spec)).days % every)


def training_days_read(spec: ModelSpec, as_of: date) -> list[date]:
    """Return the days of features, ascending, of the training window of a model and of the search for its parameters.

    Raises:
        HistoryTooShort: before the first day that has a model.
    """
    return sorted({*split_days(spec, as_of).window, *split_days(spec, searched_on(spec, as_of)).window})


def first_day_read(spec: ModelSpec, as_of: date) -> date:
    """Return the earliest day of features that the model of day `as_of` needs, for training or for the search of its
    parameters.

    Raises:
        HistoryTooShort: before the first day that has a model.
    """
    first = split_days(spec, searched_on(spec, as_of)).first
    return min(first, first_known_positives(spec, split_days(spec, as_of)) or first)


def first_known_positives(spec: ModelSpec, split: Split) -> date | None:
    """Return the first day whose positive labels make an entity known as positive in the holdout; None where known
    positives are not excluded.

    It is the first day of the training window or, with `evaluation.known_positives_window`, that many days before its
    end, but not before the start of the source.
    """
    if not spec.evaluation.exclude_known_positives:
        return None
    if (length := spec.evaluation.known_positives_window) is None:
        return split.first
    return max(split.window[-1] + timedelta(days=1) - length, spec.source.start)


def _days_up_to(last: date, length: timedelta) -> list[date]:
    return [last - timedelta(days=back) for back in range(length.days - 1, -1, -1)]
