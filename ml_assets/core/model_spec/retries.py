"""Retries of a step after a transient external failure: their number and their delays."""

from datetime import timedelta

from pydantic import Field, model_validator

from ml_assets.core.model_spec.types.base import SpecPart
from ml_assets.core.model_spec.types.durations import Wait, format_duration

JITTER = 0.25
SECONDS_OF_A_MINUTE_ATTENDED = 1.0


class Retry(SpecPart):
    """The retries of a step: the first after `delay`, each later one after twice the delay before, with a random jitter
    of up to a quarter."""

    times: int = Field(3, ge=0, le=10)
    """Maximum number of retries; 0 for none."""
    delay: Wait = timedelta(minutes=5)
    """Delay before the first retry."""
    longest_delay: Wait = timedelta(hours=1)
    """Maximum delay, before the jitter."""

    @model_validator(mode="after")
    def _is_the_longest(self) -> "Retry":
        if self.longest_delay < self.delay:
            raise ValueError(
                f"longest_delay {format_duration(self.longest_delay)} is shorter than delay, "
                f"{format_duration(self.delay)}"
            )
        return self

    def seconds_before(self, attempt: int, chance: float, attended: bool) -> float:
        """Return the delay before a retry, in seconds.

        Args:
            attempt: number of the retry, from 1.
            chance: a random number from 0 to 1 for the jitter, so that steps that failed together do not retry
                together.
            attended: whether a person waits for the run; delays are then in seconds instead of minutes.
        """
        seconds = min(self.delay * 2 ** (attempt - 1), self.longest_delay).total_seconds()
        return seconds * (1 + JITTER * chance) * (SECONDS_OF_A_MINUTE_ATTENDED / 60 if attended else 1)


class Retries(SpecPart):
    """Retries after a transient external failure: a store that does not answer, is too busy or reports an internal
    error, or a lost connection to a server or database. Days that the step has already committed are not recomputed.
    Invalid data, errors in code and a lack of memory are never retried. Where a person waits (`ml-assets run`), the
    delays are in seconds instead of minutes."""

    ingestion: Retry = Retry()
    """Retries of raw_data and raw_labels."""
    training: Retry = Retry(times=1)
    """Retries of trained_model and parameter_search."""
    default: Retry = Retry()
    """Retries of all other steps."""
