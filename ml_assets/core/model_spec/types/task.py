"""The task of a model: the kind of its target, and the columns that its predictions have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import StrictBool, StrictInt, StrictStr

Task = Literal["binary", "regression", "multiclass"]
BINARY, REGRESSION, MULTICLASS = "binary", "regression", "multiclass"
ClassLabel = StrictInt | StrictStr
PositiveLabel = StrictBool | StrictInt | StrictStr
Objective = Literal["squared_error", "absolute_error", "pseudo_huber", "quantile", "poisson", "tweedie", "gamma"]
Direction = Literal["increasing", "decreasing"]

SCORE, DECISION = "score", "decision"
PREDICTION, PREDICTED_CLASS = "prediction", "predicted_class"
SHADOW = "shadow_"
"""Prefix of the columns with the predictions of a challenger in shadow."""


@dataclass(frozen=True)
class Outputs:
    """The predictions of a model, as columns of a table and as fields of the service's response.

    task: the task. classes: the classes of a multiclass target, in the order of the model. quantiles: the predicted
    quantiles of a regression, ascending; empty where it predicts one value.
    """

    task: Task = BINARY
    classes: tuple[int | str, ...] = ()
    quantiles: tuple[float, ...] = ()

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Names of the numeric columns that the booster predicts, in its order: `score`; `prediction`, or
        `prediction_q05` and so on for quantiles; `probability_<class>` for each class.
        """
        if self.task == MULTICLASS:
            return tuple(f"probability_{column_part(label)}" for label in self.classes)
        if self.task == REGRESSION:
            return tuple(f"prediction_{quantile_name(quantile)}" for quantile in self.quantiles) or (PREDICTION,)
        return (SCORE,)

    @cached_property
    def columns(self) -> dict[str, str]:
        """Name and type of each column: score and decision; prediction and its quantiles; predicted_class and the
        probability of each class.
        """
        if self.task == MULTICLASS:
            kind = "string" if isinstance(self.classes[0], str) else "integer"
            return {PREDICTED_CLASS: kind, **dict.fromkeys(self.values, "number")}
        if self.task == REGRESSION:
            return {PREDICTION: "number", **dict.fromkeys(self.values, "number")}
        return {SCORE: "number", DECISION: "boolean"}

    @property
    def main(self) -> str:
        """The main column: score, prediction or predicted_class."""
        return next(iter(self.columns))

    @property
    def central(self) -> int:
        """Position in `values` of the quantile used as `prediction`: the nearest to the median, the lower one of a tie;
        0 without quantiles.
        """
        distances = [abs(quantile - 0.5) for quantile in self.quantiles]
        return distances.index(min(distances)) if distances else 0

    def explain_difference(self, preprocessing: Mapping) -> str | None:
        """Explain why a model does not make these predictions; None if it does.

        Args:
            preprocessing: the preprocessing of the model, whose task, classes and quantiles are compared; see `Scorer`.
        """
        mine = (self.task, self.classes, self.quantiles)
        classes, quantiles = (tuple(preprocessing.get(name, ())) for name in ("classes", "quantiles"))
        other = (preprocessing.get("task", BINARY), classes, quantiles)
        return None if other == mine else f"it predicts {_described(*other)}, but the specification {_described(*mine)}"


def _described(task: str, classes: tuple, quantiles: tuple) -> str:
    if task == MULTICLASS:
        return f"the classes {', '.join(map(str, classes))}"
    if quantiles:
        return f"the quantiles {', '.join(f'{quantile:g}' for quantile in quantiles)}"
    return "an amount" if task == REGRESSION else "a binary target"


def quantile_name(quantile: float) -> str:
    """Return the name of a quantile, in percent with two leading digits and `_` as decimal point: q05, q50, q97_5."""
    whole, _, rest = f"{quantile * 100:.10g}".partition(".")
    return f"q{whole.zfill(2)}{'_' + rest if rest else ''}"


def column_part(label: int | str) -> str:
    """Return a class label as a part of a column name: characters other than ASCII letters and digits become `_`."""
    return re.sub(r"[^A-Za-z0-9]", "_", str(label))
