"""Stages raw_data and raw_labels: the landed files of a day, read, renamed and typed, with their provenance."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.model_spec.labels import LateData
from ml_assets.core.tables.code_version import code_version
from ml_assets.core.tables.fingerprint import EXPIRED, fingerprint
from ml_assets.pipeline.engine.stage import CannotMake, InputChanged, KeepDay, StageOutput
from ml_assets.pipeline.ingestion.day_in_lake import DayInLake, DayStatus
from ml_assets.pipeline.ingestion.landing_loss import LandingLossGuard
from ml_assets.pipeline.ingestion.listing import Listing, describe_objects
from ml_assets.pipeline.ingestion.overlooked_files import describe_overlooked
from ml_assets.resources.lake.errors import DamagedDay
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing, ObjectChanged
from ml_assets.resources.storage.stored_object import StoredObject

# Typical bytes in memory for each byte of a file: Parquet is packed more tightly than text.
UNPACKED = 10
NOTHING_LANDED = "no files have landed"


class Ingestion:
    """The landed files of a day, read, renamed and typed. Every value that could not be read is kept, with file and
    row.

    Inputs: the landed objects by key, digest and size.
    """

    def __init__(
        self,
        feed: Feed,
        late_data: LateData,
        lake: Lake,
        landing: Landing,
        look_back: timedelta,
        others: Sequence[str] = (),
    ):
        """Open the tables of a feed.

        Args:
            feed: the files.
            late_data: the policy of changes to past days.
            lake: holds the tables.
            landing: where files land.
            look_back: look-back of the sensor; a day without files is compared with the days this far before and after
                it.
            others: patterns of other files that may lie next to those of the feed, such as its labels.
        """
        from ml_assets.core.tables.schemas import raw_schema

        self.name = feed.raw
        self.feed = feed
        self.landing = landing
        self._lake = lake
        self._late_data = late_data
        self._look_back = look_back
        self.code = code_version(__name__)
        columns = {name: [column.type, column.source, column.nullable] for name, column in feed.columns.items()}
        source = feed.source
        self.spec_part = {
            "columns": columns,
            "time_zone": source.time_zone,
            "csv": source.csv.model_dump(),
            "limits": source.limits.model_dump(),
        }
        self._table = lake.table(feed.name, feed.raw, raw_schema(feed))
        self._others = others
        self._listing = Listing(feed, landing, others)

    @cached_property
    def _objects_table(self) -> Table:
        """The landed objects of each day; not opened when only fingerprints are compared, as in the sensor."""
        from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA

        return self._lake.table(self.feed.name, self.feed.objects, LANDED_OBJECTS_SCHEMA)

    @cached_property
    def _loss_guard(self) -> LandingLossGuard:
        return LandingLossGuard(
            self.feed, self._late_data, self.landing, self._table, self._objects_table, self._look_back
        )

    @property
    def tables(self) -> dict[str, Table]:
        """Side table and main table."""
        return {self.feed.objects: self._objects_table, self.feed.raw: self._table}

    def __reduce__(self) -> tuple[object, ...]:
        """Send the stage to another process, which lists the landing."""
        return type(self), (self.feed, self._late_data, self._lake, self.landing, self._look_back, self._others)

    def refresh(self) -> None:
        """Forget the listing of the landing."""
        self._listing.refresh()
        self._loss_guard.refresh()

    def inputs(self, day: date) -> list:
        """Return (key, digest, size) of each landed object of the day.

        Raises:
            LandingLost: when the day and most others have lost their objects at once.
            KeepDay: when the day is closed, its objects changed, and the policy refuses that.
        """
        objects = self._listing.objects(day)
        if not objects:
            self._loss_guard.check(day)
        if not self._may_change(day, objects):
            raise KeepDay(
                f"closed since {self._closed_since(day):%Y-%m-%d %H:%M} UTC (late_data): {self.changes(day)}; the day "
                "stays as it was made. To make it again, add it to late_data.reopened"
            )
        return describe_objects(objects)

    def overlooked(self, day: date) -> list[str]:
        """List the files next to those of the day that the pattern does not match and nothing else reads."""
        return self._listing.overlooked(day)

    def compare(self, day: date, objects: Sequence[StoredObject]) -> DayInLake:
        """Compare a day in the lake with its landed objects.

        A day whose rows retention removed is absent, whatever has landed: it is computed again only on request.

        Raises:
            LandingLost: when the day and most others have lost their objects at once.
        """
        committed = self._table.fingerprint(day)
        return DayInLake(self._status(day, objects, committed), "" if committed is None else f"{committed:x}")

    def _status(self, day: date, objects: Sequence[StoredObject], committed: int | None) -> DayStatus:
        if committed == EXPIRED:
            return "absent"
        if committed is None:
            return "changed" if objects else "absent"
        if self._table.holds(day, fingerprint(self.code, self.spec_part, describe_objects(objects))):
            return "current"
        if not objects:
            self._loss_guard.check(day)
        return "changed" if self._may_change(day, objects) else "refused"

    def _may_change(self, day: date, objects: Sequence[StoredObject]) -> bool:
        """Return whether the day may be made from these objects: not if it was made from others, is closed, and the
        policy refuses late changes.
        """
        if self._late_data.afterwards == "reopen" or not self._table.is_committed(day) or not self._is_closed(day):
            return True
        return self._was_made_from(day, objects)

    def _was_made_from(self, day: date, objects: Sequence[StoredObject]) -> bool:
        listed = describe_objects(objects)
        # The table of the objects may be damaged.
        is_same = self._table.holds(day, fingerprint(self.code, self.spec_part, listed))
        return is_same or listed == self._committed_objects(day)

    def _is_closed(self, day: date) -> bool:
        from ml_assets.core.ingestion.late_data import is_closed

        return is_closed(self._late_data, day, self.feed.source.time_zone, datetime.now(UTC))

    def _closed_since(self, day: date) -> datetime:
        from ml_assets.core.ingestion.late_data import closing_time

        return closing_time(self._late_data, day, self.feed.source.time_zone)

    def _committed_objects(self, day: date) -> list:
        """Return (key, digest, size) of each object that the committed day was made from."""
        entries = self._objects_table.read([day], ["key", "digest", "size"]).to_pylist()
        return [[entry["key"], entry["digest"], entry["size"]] for entry in entries]

    def changes(self, day: date) -> str:
        """Describe how the landed objects of a day differ from those that it was made from."""
        from ml_assets.core.ingestion.late_data import describe_changes

        return describe_changes(self._committed_objects(day), describe_objects(self._listing.objects(day)))

    def memory(self, days: Sequence[date]) -> int:
        """Estimate the bytes that days take, from the sizes of their files: their rows are read one day at a time."""
        return max(UNPACKED * sum(stored.size for stored in self._listing.objects(day)) for day in days)

    def make(self, days: Sequence[date], single_partition: bool) -> Iterator[StageOutput]:
        """Read the objects of each day."""
        return (self._make_day(day, single_partition) for day in days)

    def _make_day(self, day: date, single_partition: bool) -> StageOutput:
        """Read the day's objects. A file that cannot be read is recorded as a fault of its object."""
        import pyarrow as pa

        from ml_assets.core.ingestion.file_reader import read_landed_file, refuse_size
        from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA, raw_schema

        objects = self._listing.objects(day)
        self._check_empty_day(day, objects, single_partition)
        parts, entries = [raw_schema(self.feed).empty_table()], []
        for stored in objects:
            try:
                oversized = refuse_size(self.feed, stored.size)
                file = oversized or read_landed_file(self.feed, stored.key, self.landing.read(stored))
            except ObjectChanged as error:
                raise InputChanged(str(error)) from error
            entry = {"key": stored.key, "digest": stored.digest, "size": stored.size, "fault": file.fault}
            rows = file.rows.num_rows if file.rows is not None else None
            entries.append({**entry, "rows": rows, "other_columns": file.other_columns})
            parts += [file.rows] if file.rows is not None else []
        metadata: dict[str, object] = {"objects": len(objects), "bytes": sum(stored.size for stored in objects)}
        with suppress(DamagedDay):
            metadata |= {"reopened": self.changes(day)} if self._reopens(day, objects) else {}
        return StageOutput(
            {
                self.feed.objects: pa.Table.from_pylist(entries, schema=LANDED_OBJECTS_SCHEMA),
                self.feed.raw: pa.concat_tables(parts),
            },
            self._problem_of(entries),
            metadata,
        )

    def _check_empty_day(self, day: date, objects: Sequence[StoredObject], single_partition: bool) -> None:
        """Check that a day without objects may be computed as an empty day.

        Raises:
            CannotMake: when retention removed its rows, or when rows were expected in a single-partition run.
        """
        if objects:
            return
        if (committed := self._table.fingerprint(day)) == EXPIRED:
            raise CannotMake(
                f"{self.feed.name}: the rows of {day} were removed by retention, and its files are no longer under "
                f"{self.landing.uri}; an empty day would replace them. Put its files there again, or leave the day as "
                "it is."
            )
        if single_partition and committed is None and self.feed.event_time is not None:
            overlooked = describe_overlooked(self.feed.source.files, day, self.overlooked(day), "; ")
            raise CannotMake(
                f"{self.feed.name}: no files have landed for {day}; looked for {self.feed.source.files} under "
                f"{self.landing.uri}{overlooked}. Put the day's files there and materialize it again."
            )

    def _reopens(self, day: date, objects: Sequence[StoredObject]) -> bool:
        """Return whether a closed day is computed again from other objects."""
        is_open = not self._table.is_committed(day) or self._closed_since(day) > datetime.now(UTC)
        return not is_open and not self._was_made_from(day, objects)

    def _problem_of(self, entries: Sequence[dict]) -> str | None:
        if not entries and self.feed.event_time is not None:
            return NOTHING_LANDED
        return "; ".join(f"{entry['key']}: {entry['fault']}" for entry in entries if entry["fault"]) or None

    def problem(self, day: date) -> str | None:
        """Return what is wrong with the landed objects of a committed day, or None."""
        return self._problem_of(self._objects_table.read([day], ["key", "fault"]).to_pylist())
