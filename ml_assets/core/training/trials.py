"""What is kept of a search: its trials, each a JSON document, and what the best of them is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pyarrow as pa

StoppedBy = Literal["trials", "minutes"]

PARAMETER_SEARCH = pa.schema(
    [
        ("problem", pa.string()),
        ("searched_on", pa.date32()),
        ("study", pa.string()),
        ("parameters", pa.string()),
        ("trial", pa.int64()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("stated_value", pa.float64()),
        ("trials", pa.int64()),
        ("pruned", pa.int64()),
        ("stopped_by", pa.string()),
        ("seconds", pa.float64()),
    ]
)
"""One row a day: the parameters that models of that day are trained with, or why there are none (`problem`).
searched_on: the day as of which they were searched. study: name of the search, whose trials lie in a folder of that
name. parameters: JSON by name. trial: number of the best. value and stated_value: mean of the metric over the folds, of
the best and of the parameters that the specification states. trials, pruned: how many there were. stopped_by: trials or
minutes. seconds: that the trials took together."""


@dataclass(frozen=True)
class Trial:
    """One trial. parameters: the searched ones. folds: figures of each fold that was fitted, in order. value: mean of
    the metric over these folds. pruned: whether it ended before the last fold. seconds: how long it took.
    """

    number: int
    parameters: Mapping[str, float]
    folds: Sequence[Mapping[str, float]]
    value: float
    pruned: bool
    seconds: float

    def to_json(self) -> bytes:
        """The document of the trial; floating-point numbers with all their digits."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True, allow_nan=False) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Trial":
        """The trial of a document.

        Raises:
            ValueError: when it is not one.
        """
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError) as error:
            raise ValueError(f"it is not the document of a trial: {error}") from error


@dataclass(frozen=True)
class Found:
    """What a search found. trials: in order; the first is of the parameters that the specification states. stopped_by:
    what ended it.
    """

    best: Trial
    trials: Sequence[Trial]
    stopped_by: StoppedBy

    def figures(self) -> dict[str, object]:
        """The figures of a row of PARAMETER_SEARCH, for passports too."""
        return {
            "trial": self.best.number,
            "value": self.best.value,
            "stated_value": self.trials[0].value,
            "trials": len(self.trials),
            "pruned": sum(trial.pruned for trial in self.trials),
            "stopped_by": self.stopped_by,
            "seconds": round(sum(trial.seconds for trial in self.trials), 3),
        }
