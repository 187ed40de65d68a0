"""The fingerprints of what a stage reads from the stages before it, where all of it is there."""

from collections.abc import Sequence
from datetime import date

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.engine.stage import CannotMake, InputChanged, InputExpired
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing


def fingerprints_of(
    feed: Feed, landing: Landing, table: Table, days: Sequence[date], reader: str, read: str
) -> list[list]:
    """[day, fingerprint] of each day; the fingerprint of a day that was never made because nothing landed is None, and
    the day counts as empty.

    Args:
        feed: the files that the table is made from, in the end.
        landing: where files land.
        table: the table that is read.
        days: the days that are read, ascending.
        reader: who reads them, for the message, such as `the features of 2025-01-05`.
        read: the name of the asset that is read.

    Raises:
        InputExpired: when the rows of days were removed by retention; it names them.
        CannotMake: when days have files and were never made; it names them.
    """
    made = [(day, table.fingerprint(day)) for day in days]
    if expired := [day for day, found in made if found == EXPIRED]:
        raise InputExpired(
            f"{feed.name}: {reader} reads {read} of {days[0]} to {days[-1]}, but retention removed the rows of {len(expired)} of these days, "
            f"the first {expired[0]}, the last {expired[-1]}; materialise {feed.raw} to {read} of these days again, from the landed files"
        )
    if lacking := [day for day, found in made if found is None and landing.has_files(feed.source, day)]:
        raise CannotMake(
            f"{feed.name}: {reader} reads {read} of {days[0]} to {days[-1]}, but {len(lacking)} of these days have not been made, "
            f"the first {lacking[0]}, the last {lacking[-1]}; materialise them first"
        )
    return [[day.isoformat(), found] for day, found in made]


def fingerprint_of(model: str, table: Table, day: date, reader: str, read: str) -> int:
    """The fingerprint of the same day in the table of the stage before.

    Raises:
        InputExpired: when its rows were removed by retention.
        CannotMake: when it was never made.
    """
    made = table.fingerprint(day)
    if made is None:
        raise CannotMake(f"{model}: the {reader} of {day} needs the {read} of that day; materialise it first")
    if made == EXPIRED:
        raise InputExpired(
            f"{model}: the {reader} of {day} needs the {read} of that day, which retention removed; materialise it again first"
        )
    return made


def check_nothing_newer(day: date, tables: Sequence[Table], what: str) -> None:
    """Look once more before a stage acts outside of the lake, where nothing is refused at the commit of the day.

    Args:
        day: the day.
        tables: tables whose day is as it was looked at, as far as is known.
        what: what is done of the day, for the message.

    Raises:
        InputChanged: when another process has committed the day in one of them since.
    """
    before = [table.fingerprint(day) for table in tables]
    for table in tables:
        table.refresh()
    if [table.fingerprint(day) for table in tables] != before:
        raise InputChanged(f"{what} of {day}: another run has committed the day meanwhile")
