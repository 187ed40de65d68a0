"""The fingerprints of the days that a stage reads from the stage before it."""

from collections.abc import Sequence
from datetime import date

from ml_assets.core.spec.feed import Feed
from ml_assets.pipeline.stage import CannotMake
from ml_assets.resources.lake import Table
from ml_assets.resources.landing import Landing


def fingerprints_of(feed: Feed, landing: Landing, table: Table, days: Sequence[date], reader: str, read: str) -> list[list]:
    """[day, fingerprint] of each day; the fingerprint of a day that was never made because nothing landed is None, and the day counts as empty.

    Args:
        feed: the files that the table is made from, in the end.
        landing: where files land.
        table: the table that is read.
        days: the days that are read, ascending.
        reader: who reads them, for the message, such as `the features of 2025-01-05`.
        read: the name of the asset that is read.

    Raises:
        CannotMake: when days have files and were never made; it names them.
    """
    made = [(day, table.fingerprint(day)) for day in days]
    if lacking := [day for day, found in made if found is None and landing.has_files(feed.source, day)]:
        raise CannotMake(
            f"{feed.name}: {reader} reads {read} of {days[0]} to {days[-1]}, but {len(lacking)} of these days have not been made, "
            f"the first {lacking[0]}, the last {lacking[-1]}; materialise them first"
        )
    return [[day.isoformat(), found] for day, found in made]
