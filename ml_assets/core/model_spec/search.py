"""How the parameters of training are searched for: the space, the time-ordered folds, the budget, and how often it is
done again.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import PositiveDays


class Range(SpecPart):
    """Numbers of one parameter, both ends among them; whole numbers where the parameter is one."""

    low: float
    """Least value."""

    high: float
    """Greatest value."""

    log: bool = False
    """Whether the logarithm is what is spread evenly: for parameters whose size matters more than their difference,
    such as eta.
    """

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        if self.low >= self.high:
            raise ValueError(
                f"low {self.low:g} must be below high {self.high:g}; fix a parameter in training.parameters instead"
            )
        if self.log and self.low <= 0:
            raise ValueError(f"log needs a low above 0, not {self.low:g}")
        return self

    def ends(self) -> list[float]:
        """Values that must be allowed for all of the range to be."""
        return [self.low, self.high]

    def holds(self, value: float) -> bool:
        """Whether a value is one of them."""
        return self.low <= value <= self.high


class Choice(SpecPart):
    """Values of one parameter, without an order."""

    values: list[float] = Field(min_length=2)
    """The values, each once."""

    @model_validator(mode="after")
    def _are_different(self) -> "Choice":
        if len(set(self.values)) != len(self.values):
            raise ValueError(f"values: {', '.join(f'{value:g}' for value in self.values)} has a value more than once")
        return self

    def ends(self) -> list[float]:
        """Values that must be allowed for all of the choice to be."""
        return list(self.values)

    def holds(self, value: float) -> bool:
        """Whether a value is one of them."""
        return value in self.values


def _kind(value: object) -> str:
    """Which of the two a value is meant to be, so that only its faults are told."""
    return "choice" if isinstance(value, Choice) or (isinstance(value, dict) and "values" in value) else "range"


Searched = Annotated[Annotated[Range, Tag("range")] | Annotated[Choice, Tag("choice")], Discriminator(_kind)]
Space = dict[str, Searched]
SPACE: Space = {
    "eta": Range(low=0.02, high=0.3, log=True),
    "max_depth": Range(low=3, high=8),
    "min_child_weight": Range(low=0.5, high=20, log=True),
    "subsample": Range(low=0.6, high=1),
    "colsample_bytree": Range(low=0.5, high=1),
    "reg_lambda": Range(low=0.1, high=10, log=True),
}


class Search(SpecPart):
    """A search for parameters with Optuna, on time-ordered folds of the training window; never on the holdout. See
    docs/search.md.
    """

    trials: int = Field(30, ge=1)
    """Most trials. The first is of `training.parameters` as they are, so that what is found is at least as good on the
    folds.
    """

    minutes: float = Field(30.0, gt=0)
    """Most minutes of all trials together; the fold in progress is finished and its trial does not count. Where this
    ends a search its result depends on the speed of the machine; it says so."""

    every: PositiveDays = timedelta(days=7)
    """How many days the parameters that were found are used for, counted from the first day that has a model."""

    folds: int = Field(3, ge=1)
    """Number of folds. Each validates on as many days as `training.validation` has: the last days of the window, the
    days before these, and so on.
    """

    fit: Literal["expanding", "rolling"] = "expanding"
    """What a fold is fitted on: expanding: all days of the window before its validation; rolling: as many of them for
    each fold.
    """

    metric: Literal["average_precision", "log_loss"] = "average_precision"
    """What is made best, as the mean over the folds."""

    prune: bool = True
    """Whether a trial ends early when its best mean over the folds so far is worse than the median of earlier trials
    (Optuna's MedianPruner).
    """

    space: Space = SPACE
    """Parameter, by its name in `training.parameters`, to the range (low, high, log) or choice (values) to search."""

    @model_validator(mode="after")
    def _searches_something(self) -> "Search":
        if not self.space:
            raise ValueError("space: name at least one parameter to search")
        return self

    def check(self, parameters: SpecPart, validation: timedelta, window: timedelta) -> None:
        """Refuse values that training would refuse, and folds that leave nothing to fit on.

        Raises:
            ValueError: naming the field, and what is allowed.
        """
        for name, searched in self.space.items():
            if name not in type(parameters).model_fields:
                raise ValueError(
                    f"search.space.{name}: there is no such parameter; the parameters are {', '.join(type(parameters).model_fields)}"
                )
            for value in searched.ends():
                try:
                    type(parameters).model_validate({**parameters.model_dump(), name: value})
                except ValidationError as error:
                    raise ValueError(f"search.space.{name}: {value:g}: {error.errors()[0]['msg']}") from error
        if self.folds * validation >= window:
            raise ValueError(
                f"search.folds: {self.folds} folds that validate on {validation.days}d each leave no day of the window ({window.days}d) to fit on"
            )
