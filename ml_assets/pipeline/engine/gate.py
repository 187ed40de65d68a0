"""The gate between data and models, as the stages of a model see it."""

from datetime import date
from typing import Any, Protocol


class Gate(Protocol):
    """Keeps a model from being made of a day while a blocking check of its data fails."""

    @property
    def is_on(self) -> bool:
        """True if the specification has blocking checks of data."""
        ...

    def refresh(self) -> None:
        """Forget what is known of the data."""
        ...

    def hold(self, day: date) -> None:
        """Let the day pass, unless a blocking check of it fails.

        Raises:
            KeepDay: when one does; names the check, the reason and the remedy.
        """
        ...

    def reason(self, day: date) -> str | None:
        """Name the blocking checks of the data of a day that fail with an error, and why; None when none does."""
        ...

    def reason_of_evaluation(self, evaluation: Any, day: date) -> str | None:
        """Do the same for the blocking checks of the evaluation of a day that has a model."""
        ...
