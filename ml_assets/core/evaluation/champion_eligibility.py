"""The model in use, as the registry tells of it, and which models can be compared with it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Champion:
    """The version that the alias `champion` points to, with digest and day of its model; None where the version does
    not say.
    """

    version: int
    digest: str | None
    day: date | None


def why_not_comparable(champion: Champion | None, digest: str, day: date) -> str | None:
    """Why a model is not compared with a champion, or None when it can be.

    A champion of the same or a later day may have been trained on rows that the model is judged on. One of an earlier
    day was not: its training window ended before its own holdout, and that ends before the holdout of the later day
    does.

    Args:
        champion: the model in use, if there is one.
        digest: digest of the model that is judged.
        day: the day that this model is of.
    """
    if champion is None:
        return "there is no champion yet"
    named = f"the champion, version {champion.version},"
    if champion.digest is None or champion.day is None:
        return f"{named} has no tags model_digest and day, so it is not known which model it is"
    if champion.digest == digest:
        return f"{named} is this model"
    if champion.day >= day:
        return (
            f"{named} is of {champion.day}, not of a day before {day}: it may have been trained on rows of the holdout"
        )
    return None
