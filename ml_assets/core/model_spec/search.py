"""Hyperparameter search: the search space, the time-ordered folds, the budget and the interval between searches."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import PositiveDays
from ml_assets.core.model_spec.types.metric_names import ComparedMetric
from ml_assets.core.model_spec.types.numbers import format_number


class Range(SpecPart):
    """A range of one parameter, both ends included; an integer parameter gets integers only."""

    low: float = Field(ge=-1e9, le=1e9)
    """Minimum."""

    high: float = Field(ge=-1e9, le=1e9)
    """Maximum."""

    log: bool = False
    """Whether to sample the logarithm uniformly, for parameters whose order of magnitude matters, such as eta."""

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        if self.low >= self.high:
            raise ValueError(
                f"low {format_number(self.low)} must be below high {format_number(self.high)}; fix a parameter in "
                "training.parameters instead"
            )
        if self.log and self.low <= 0:
            raise ValueError(f"log needs a low above 0, not {format_number(self.low)}")
        return self

    def ends(self) -> list[float]:
        """Return the values to check in order to allow the whole range: its ends."""
        return [self.low, self.high]

    def holds(self, value: float) -> bool:
        """Return whether the range contains a value."""
        return self.low <= value <= self.high


class Choice(SpecPart):
    """Unordered values of one parameter."""

    values: list[Annotated[float, Field(ge=-1e9, le=1e9)]] = Field(min_length=2)
    """The distinct values."""

    @model_validator(mode="after")
    def _are_different(self) -> "Choice":
        if len(set(self.values)) != len(self.values):
            values = ", ".join(f"{value:g}" for value in self.values)
            raise ValueError(f"values: state each value once, not {values}")
        return self

    def ends(self) -> list[float]:
        """Return the values to check in order to allow every choice: all of them."""
        return list(self.values)

    def holds(self, value: float) -> bool:
        """Return whether a value is one of the choices."""
        return value in self.values


def _kind(value: object) -> str:
    """Return the tag of the intended type, so that validation reports errors for that type only."""
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
    """A hyperparameter search with Optuna, on time-ordered folds of the training window and never on the holdout. See
    docs/how-to/search.md."""

    trials: int = Field(30, ge=1, le=100_000)
    """Maximum number of trials. The first one uses `training.parameters`, so that the result is at least as good on the
    folds."""

    minutes: float = Field(30.0, gt=0, le=10_000)
    """Maximum total run time of all trials, in minutes. The fold in progress is finished, but its trial does not count.
    The result of a search that reaches this limit depends on the speed of the machine, and says so."""

    every: PositiveDays = timedelta(days=7)
    """Number of days for which the parameters of a search are used, counted from the first day that has a model."""

    folds: int = Field(3, ge=1, le=100)
    """Number of folds. Each validates on as many days as `training.validation` has: the last days of the window, the
    days before them, and so on."""

    fit: Literal["expanding", "rolling"] = "expanding"
    """Days on which a fold is fitted. expanding: all days of the window before its validation days. rolling: the same
    number of days for each fold."""

    metric: ComparedMetric = "average_precision"
    """Metric whose mean over the folds is optimized. By default average_precision for task binary, log_loss for
    multiclass, and rmse for regression, or pinball_loss if it has quantiles."""

    prune: bool = True
    """Whether a trial is pruned when its best mean over the folds so far is worse than the median of earlier trials
    (Optuna's MedianPruner)."""

    space: Space = SPACE
    """The range (low, high, log) or choice (values) of each parameter, by its name in `training.parameters`."""

    @model_validator(mode="after")
    def _searches_something(self) -> "Search":
        if not self.space:
            raise ValueError("space: name at least one parameter to search")
        return self

    def check(self, parameters: SpecPart, validation: timedelta, window: timedelta) -> None:
        """Refuse values that training would refuse, and folds that leave no days for fitting.

        Raises:
            ValueError: names the field and the allowed values.
        """
        for name, searched in self.space.items():
            if name not in type(parameters).model_fields:
                raise ValueError(
                    f"search.space.{name}: there is no such parameter; the parameters are "
                    f"{', '.join(type(parameters).model_fields)}"
                )
            for value in searched.ends():
                try:
                    type(parameters).model_validate({**parameters.model_dump(), name: value})
                except ValidationError as error:
                    raise ValueError(f"search.space.{name}: {value:g}: {error.errors()[0]['msg']}") from error
        if "base_score" in self.space and getattr(parameters, "base_score", None) is None:
            raise ValueError(
                "search.space.base_score: the search begins at training.parameters.base_score, which is not set"
            )
        if self.folds * validation >= window:
            raise ValueError(
                f"search.folds: {self.folds} folds that validate on {validation.days}d each leave no day of the window "
                f"({window.days}d) to fit on; lower search.folds or training.validation"
            )
