"""How often and after how long a step is tried again that failed for a fault of the world."""

from datetime import timedelta

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import Window, format_duration

JITTER = 0.25
SECONDS_OF_A_MINUTE_ATTENDED = 1.0


class Retry(SpecPart):
    """The further attempts at a step: the first after `delay`, each next after twice as long, and up to a quarter
    longer by chance.
    """

    times: int = Field(3, ge=0, le=10)
    """Most further attempts; 0 for none."""
    delay: Window = timedelta(minutes=5)
    """How long the first of them waits."""
    longest_delay: Window = timedelta(hours=1)
    """No attempt waits longer."""

    @model_validator(mode="after")
    def _is_the_longest(self) -> "Retry":
        if self.longest_delay < self.delay:
            raise ValueError(
                f"longest_delay {format_duration(self.longest_delay)} is shorter than delay, {format_duration(self.delay)}"
            )
        return self

    def seconds_before(self, attempt: int, chance: float, attended: bool) -> float:
        """How long a further attempt waits, in seconds.

        Args:
            attempt: its number, from 1.
            chance: a random number from 0 to 1, so that not all that failed at the same moment come back at the same
                moment.
            attended: whether somebody sits before it and waits; a minute is a second then.
        """
        seconds = min(self.delay * 2 ** (attempt - 1), self.longest_delay).total_seconds()
        return seconds * (1 + JITTER * chance) * (SECONDS_OF_A_MINUTE_ATTENDED / 60 if attended else 1)


class Retries(SpecPart):
    """What happens when the world fails: a store that does not answer, answers that it is too busy or has a fault, a
    lost connection or database. The step is tried again; what it has committed stays and is not made again. A fault of
    data or code, and a lack of memory, is never tried again. Where somebody waits (`make run`), the delays are in
    seconds instead of minutes."""

    ingestion: Retry = Retry()
    """Of raw_data and raw_labels."""
    training: Retry = Retry(times=1)
    """Of trained_model and parameter_search."""
    default: Retry = Retry()
    """Of all other steps."""
