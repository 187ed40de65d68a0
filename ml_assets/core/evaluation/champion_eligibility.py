"""Eligibility of the champion for a comparison with a newly trained model."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Champion:
    """The version that is the champion, with the digest and day of its model (None for a version without such a
    tag)."""

    version: int
    digest: str | None
    day: date | None


def explain_ineligibility(champion: Champion | None, digest: str, day: date) -> str | None:
    """Explain why the champion cannot be compared with a model; None if it can.

    A champion of the same or a later day may have been trained on rows of the model's holdout. A champion of an earlier
    day was not, because its training window ended before its own holdout, which begins earlier.

    Args:
        champion: the champion, if there is one.
        digest: digest of the model under evaluation.
        day: the day of the model under evaluation.
    """
    if champion is None:
        return "there is no champion yet"
    subject = f"the champion, version {champion.version},"
    if champion.digest is None or champion.day is None:
        return f"{subject} has no tags model_digest and day, so its model is unknown"
    if champion.digest == digest:
        return f"{subject} is this model"
    if champion.day >= day:
        return (
            f"{subject} is of {champion.day}, not of a day before {day}: it may have been trained on rows of the"
            " holdout"
        )
    return None
