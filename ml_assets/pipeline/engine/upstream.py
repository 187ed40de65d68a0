"""Fingerprints of the upstream days that a stage reads, with an error if one of them is missing."""

from collections.abc import Sequence
from datetime import date, timedelta

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.asset_names import FEATURES
from ml_assets.pipeline.engine.stage import InputChanged, InputExpired, InputMissing
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing


def read_fingerprints(
    feed: Feed,
    lake: Lake,
    landing: Landing,
    table: Table,
    days: Sequence[date],
    reader: str,
    asset: str,
    reach: timedelta = timedelta(),
) -> list[list]:
    """Return [day, fingerprint] of each day that is read.

    A day that was never made because nothing landed counts as empty; its fingerprint is None. A day with raw rows never
    counts as empty: the table that is read may have been removed.

    Args:
        feed: the feed whose files the table is ultimately made from.
        lake: holds their rows.
        landing: where files land.
        table: the table that is read.
        days: the days that are read, ascending.
        reader: the reader's name for the message, such as `the features of 2025-01-05`.
        asset: the name of the asset that is read.
        reach: how far back the days of the asset read their own inputs, for the command that makes them.

    Raises:
        InputExpired: when retention has removed rows of these days; it names them.
        InputMissing: when days have files or raw rows and were never made; it names them, and the command that makes
            them.
    """
    from ml_assets.core.tables.schemas import raw_schema

    fingerprints = [(day, table.fingerprint(day)) for day in days]
    needed = f"{feed.name}: {asset} of {days[0]} to {days[-1]} are needed for {reader}" if days else ""
    if expired := [day for day, fingerprint in fingerprints if fingerprint == EXPIRED]:
        raise InputExpired(
            f"{needed}, but retention removed the rows of {len(expired)} of these days, the first {expired[0]}, the "
            f"last {expired[-1]}; materialize {feed.raw} to {asset} of these days again, from the landed files"
        )
    unmade = [day for day, fingerprint in fingerprints if fingerprint is None]
    raw_rows = lake.table(feed.name, feed.raw, raw_schema(feed)).row_counts() if unmade else {}
    if lacking := [day for day in unmade if day in raw_rows or landing.has_files(feed.source, day)]:
        first = max(lacking[0] - reach, feed.source.start)
        # The features of these days would need still earlier days.
        what = (
            f"--job {feed.name}_features"
            if asset == FEATURES
            else f"--assets 'tag:model={feed.name} and (tag:stage=ingestion or tag:stage=validation)'"
        )
        # The run makes the rows of these days for the features of the others.
        not_needed = (
            f"; features of days before {lacking[0]} are not needed, and that run may fail to make them. For a model, "
            f"`ml-assets run {feed.name} --day DAY` makes exactly the days that it needs"
            if feed.source.start < first < lacking[0]
            else ""
        )
        raise InputMissing(
            f"{needed}, but {len(lacking)} of these days {'has' if len(lacking) == 1 else 'have'} not been made, the "
            f"first {lacking[0]}, the last {lacking[-1]}. Make them first: `dg launch {what} "
            f"--partition-range {first}...{lacking[-1]}`{not_needed}"
        )
    return [[day.isoformat(), fingerprint] for day, fingerprint in fingerprints]


def read_fingerprint(model: str, table: Table, day: date, reader: str, asset: str) -> int:
    """Return the fingerprint of the same day in an upstream table.

    Args:
        model: the model's name, for the message.
        table: the table that is read.
        day: the day.
        reader: the name of the asset that reads, for the message.
        asset: the name of the asset that is read.

    Raises:
        InputExpired: when retention has removed its rows.
        InputMissing: when it was never made.
    """
    fingerprint = table.fingerprint(day)
    if fingerprint is None:
        raise InputMissing(
            f"{model}: {reader} of {day} cannot be computed without {asset} of that day; materialize {asset} first"
        )
    if fingerprint == EXPIRED:
        raise InputExpired(
            f"{model}: {reader} of {day} cannot be computed without {asset} of that day, whose rows retention removed; "
            f"materialize {asset} again first"
        )
    return fingerprint


def check_not_replaced(day: date, tables: Sequence[Table], asset: str) -> None:
    """Check that no other process has committed a day, before a stage acts outside the lake.

    The commit of the day cannot refuse such an action afterwards.

    Args:
        day: the day.
        tables: the tables that the action relies on, as they were last refreshed.
        asset: model and asset for the message, such as `fraud: the deployment`.

    Raises:
        InputChanged: when another process has committed the day in one of them since.
    """
    before = [table.fingerprint(day) for table in tables]
    for table in tables:
        table.refresh()
    if [table.fingerprint(day) for table in tables] != before:
        raise InputChanged(f"{asset} of {day}: another run has committed the day in the meantime")
