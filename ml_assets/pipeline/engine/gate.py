"""The gate between data and models, as the stages of a model see it."""

from datetime import date
from typing import Any, Protocol


class Gate(Protocol):
    """Blocks the model of a day while a blocking check of the day's data fails."""

    @property
    def is_on(self) -> bool:
        """True if the specification has blocking checks of data."""
        ...

    def refresh(self) -> None:
        """Forget cached results."""
        ...

    def hold(self, day: date) -> None:
        """Check that no blocking check of the day fails.

        Raises:
            KeepDay: when one fails; names the check, the reason and the remedy.
        """
        ...

    def reason(self, day: date) -> str | None:
        """Name the blocking checks of the data of a day that fail with an error, and why; None if none fails."""
        ...

    def reason_of_evaluation(self, evaluation: Any, day: date) -> str | None:
        """Name the failing blocking checks of the evaluation of a day that has a model, and why; None if none fails."""
        ...
