"""The trials of a hyperparameter search as JSON documents, and the result of the search."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from ml_assets.core.tables.columns import PARAMETER_SEARCH
from ml_assets.core.tables.schemas import arrow_schema

StoppedBy = Literal["trials", "minutes"]

PARAMETER_SEARCH_SCHEMA = arrow_schema(PARAMETER_SEARCH)
"""One row for each day: the parameters for the training of that day, or why there are none (`problem`). searched_on:
the day as of which they were searched. study: name of the search, and of the folder of its trials. parameters: JSON
object of values by name. trial: number of the best trial. value, stated_value: mean of the metric over the folds, with
the best parameters and with those of the specification. trials, pruned: number of trials, and of pruned ones.
stopped_by: trials or minutes. seconds: total time of the trials."""


@dataclass(frozen=True)
class Trial:
    """One trial. parameters: the searched parameters. folds: metrics of each fitted fold, in order. value: mean of the
    metric over these folds. pruned: whether it ended before the last fold. seconds: its run time.
    """

    number: int
    parameters: Mapping[str, float]
    folds: Sequence[Mapping[str, float]]
    value: float
    pruned: bool
    seconds: float

    def to_json(self) -> bytes:
        """Return the JSON document of the trial, with floating-point numbers at full precision."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True, allow_nan=False) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Trial":
        """Read a trial from its JSON document.

        Raises:
            ValueError: when the document is not a trial.
        """
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError) as error:
            raise ValueError(f"the document is not a trial: {error}") from error


@dataclass(frozen=True)
class SearchResult:
    """The result of a search. trials: all trials in order; the first uses the parameters of the specification.
    stopped_by: the limit that ended it.
    """

    best: Trial
    trials: Sequence[Trial]
    stopped_by: StoppedBy

    def figures(self) -> dict[str, object]:
        """Return the values of a row of PARAMETER_SEARCH, which are also in the provenance of a model."""
        return {
            "trial": self.best.number,
            "value": self.best.value,
            "stated_value": self.trials[0].value,
            "trials": len(self.trials),
            "pruned": sum(trial.pruned for trial in self.trials),
            "stopped_by": self.stopped_by,
            "seconds": round(sum(trial.seconds for trial in self.trials), 3),
        }
