"""The days that a range on the command line names."""

from datetime import date

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.day_ranges import days_between, parse_days


def chosen_days(spec: ModelSpec, text: str | None, yesterday: date) -> list[date]:
    """The days of a backfill: those that somebody wrote, or all that there are.

    Args:
        spec: the model's specification.
        text: `2026-08-15...2026-09-01` or `2026-08-20`; None for all days.
        yesterday: the newest day that is complete, in the time zone of the source.

    Raises:
        ValueError: when the text is neither, or the days lie outside of the model's.
    """
    begins, ends = spec.source.start, min(yesterday, spec.source.end or yesterday)
    if ends < begins:
        raise ValueError(
            f"{spec.name} has no days yet: source.start is {begins}, and the newest complete day is {yesterday}"
        )
    first, last = parse_days(text) if text is not None else (begins, ends)
    if first < begins or last > ends:
        raise ValueError(
            f"{text} is not within the days of {spec.name}, which are {begins} to {ends} (source.start to source.end or yesterday)"
        )
    return days_between(first, last)
