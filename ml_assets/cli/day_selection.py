"""Days of a backfill, from a range on the command line."""

from datetime import date

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.day_ranges import days_between, parse_days


def select_days(spec: ModelSpec, text: str | None, yesterday: date) -> list[date]:
    """Select the days of a backfill: those in the text, or all days of the model.

    Args:
        spec: the model's specification.
        text: `2026-08-15...2026-09-01` or `2026-08-20`; None for all days.
        yesterday: the newest day that is complete, in the time zone of the source.

    Raises:
        ValueError: when the text is not a day or a range, or the days lie outside of the model's.
    """
    first_day, last_day = spec.source.start, min(yesterday, spec.source.end or yesterday)
    if last_day < first_day:
        raise ValueError(
            f"{spec.name} has no days yet: source.start is {first_day}, and the newest complete day is {yesterday}"
        )
    first, last = parse_days(text) if text is not None else (first_day, last_day)
    if first < first_day or last > last_day:
        raise ValueError(
            f"{text} is not within the days of {spec.name}, which are {first_day} to {last_day} "
            "(source.start to source.end or yesterday)"
        )
    return days_between(first, last)
