"""Stages raw_data and raw_labels: the landed files of a day, read, renamed and typed, with the provenance of each
object.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Literal

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.model_spec.labels import LateData
from ml_assets.core.tables.fingerprint import EXPIRED, code_version, fingerprint
from ml_assets.pipeline.engine.stage import CannotMake, InputChanged, KeepDay, StageOutput
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing, ObjectChanged
from ml_assets.resources.storage.stored_object import StoredObject

NOTHING_LANDED = "no files have landed"
Standing = Literal["made", "changed", "refused"]
"""made: the lake holds the day as it lies in the landing. changed: it does not, and the day may be made. refused: it
may not, as it is closed.
"""


def describe_objects(objects: Sequence[StoredObject]) -> list:
    """Landed objects as inputs of a fingerprint: (key, digest, size) of each."""
    return [[found.key, found.digest, found.size] for found in objects]


class Ingestion:
    """The landed files of a day, read, renamed and typed. Every value that could not be read is kept, with file and
    row.

    Inputs: the landed objects by key, digest and size.
    """

    def __init__(self, feed: Feed, late_data: LateData, lake: Lake, landing: Landing):
        from ml_assets.core.tables.schemas import raw_schema

        self.name, self.feed, self._lake, self.landing, self._late_data = feed.raw, feed, lake, landing, late_data
        self.code = code_version("ml_assets.core.ingestion.file_reader")
        columns = {name: [column.type, column.source, column.nullable] for name, column in feed.columns.items()}
        self.spec_part = {"columns": columns, "time_zone": feed.source.time_zone}
        self._table = lake.table(feed.name, feed.raw, raw_schema(feed))
        self._objects: dict[date, list] = {}

    @cached_property
    def _listed(self) -> Table:
        """The landed objects of each day; not opened by those who only compare fingerprints, such as the sensor."""
        from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA

        return self._lake.table(self.feed.name, self.feed.objects, LANDED_OBJECTS_SCHEMA)

    @property
    def tables(self) -> dict[str, Table]:
        """Side table and main table."""
        return {self.feed.objects: self._listed, self.feed.raw: self._table}

    def refresh(self) -> None:
        """List the landing again."""
        self._objects.clear()

    def inputs(self, day: date) -> list:
        """(key, digest, size) of each landed object of the day.

        Raises:
            KeepDay: when the day is closed, its objects changed, and the policy refuses that.
        """
        found = self._look(day)
        if not self._may_change(day, found):
            raise KeepDay(
                f"closed since {self._closed_since(day):%Y-%m-%d %H:%M} UTC (late_data): {self.changes(day)}; the day "
                "stays as it was made. To make it again add it to late_data.reopened"
            )
        return describe_objects(found)

    def _look(self, day: date) -> list[StoredObject]:
        if day not in self._objects:
            self._objects[day] = self.landing.objects_of_day(self.feed.source, day)
        return self._objects[day]

    def standing(self, day: date, objects: Sequence[StoredObject]) -> Standing:
        """How the lake's day stands to the objects that lie in the landing.

        A day without objects that was never made counts as made, and so does one whose rows retention removed: it is
        made again when somebody asks.
        """
        committed = self._table.fingerprint(day)
        if committed == EXPIRED:
            return "made"
        if committed is None:
            return "changed" if objects else "made"
        if self._table.holds(day, fingerprint(self.code, self.spec_part, describe_objects(objects))):
            return "made"
        return "changed" if self._may_change(day, objects) else "refused"

    def _may_change(self, day: date, objects: Sequence[StoredObject]) -> bool:
        """Whether the day may be made from these objects: always, unless it was made from others, is closed, and the
        policy refuses.
        """
        late = self._late_data
        if late.afterwards == "reopen" or self._table.fingerprint(day) in (None, EXPIRED) or not self._is_closed(day):
            return True
        return describe_objects(objects) == self._made_from(day)

    def _is_closed(self, day: date) -> bool:
        from ml_assets.core.ingestion.late_data import is_closed

        return is_closed(self._late_data, day, self.feed.source.time_zone, datetime.now(UTC))

    def _closed_since(self, day: date) -> datetime:
        from ml_assets.core.ingestion.late_data import closed_since

        return closed_since(self._late_data, day, self.feed.source.time_zone)

    def _made_from(self, day: date) -> list:
        entries = self._listed.read([day], ["key", "digest", "size"]).to_pylist()
        return [[entry["key"], entry["digest"], entry["size"]] for entry in entries]

    def changes(self, day: date) -> str:
        """What lies in the landing for a day against what the day was made from, in words."""
        from ml_assets.core.ingestion.late_data import describe_changes

        return describe_changes(self._made_from(day), describe_objects(self._look(day)))

    def make(self, day: date, single_partition: bool) -> StageOutput:
        """Read the day's objects. What cannot be read is kept as a fault of its object."""
        import pyarrow as pa

        from ml_assets.core.ingestion.file_reader import read_landed_file
        from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA, raw_schema

        found = self._objects[day]
        before = self._table.fingerprint(day)
        if not found and before == EXPIRED:
            raise CannotMake(
                f"{self.feed.name}: the rows of {day} were removed by retention, and its files are no longer under "
                f"{self.landing.uri}; an empty day would stand for them. Put its files there again, or leave the day "
                "as it is."
            )
        if not found and single_partition and before is None and self.feed.event_time is not None:
            raise CannotMake(
                f"{self.feed.name}: no files have landed for {day}; looked for {self.feed.source.files} under "
                f"{self.landing.uri}. Put the day's files there and materialise it again."
            )
        parts, objects = [raw_schema(self.feed).empty_table()], []
        for stored in found:
            try:
                file = read_landed_file(self.feed, stored.key, self.landing.read(stored))
            except ObjectChanged as error:
                raise InputChanged(str(error)) from error
            found_in = {
                "rows": file.rows.num_rows if file.rows is not None else None,
                "fault": file.fault,
                "other_columns": file.other_columns,
            }
            objects.append({"key": stored.key, "digest": stored.digest, "size": stored.size, **found_in})
            if file.rows is not None:
                parts.append(file.rows)
        faults = [f"{entry['key']}: {entry['fault']}" for entry in objects if entry["fault"]]
        problem = NOTHING_LANDED if not found and self.feed.event_time is not None else "; ".join(faults) or None
        is_reopened = (
            before not in (None, EXPIRED)
            and self._closed_since(day) <= datetime.now(UTC)
            and describe_objects(found) != self._made_from(day)
        )
        raw = pa.concat_tables(parts)
        return StageOutput(
            {self.feed.objects: pa.Table.from_pylist(objects, schema=LANDED_OBJECTS_SCHEMA), self.feed.raw: raw},
            problem,
            {
                "objects": len(found),
                "bytes": sum(stored.size for stored in found),
                **({"reopened": self.changes(day)} if is_reopened else {}),
            },
        )

    def problem(self, day: date) -> str | None:
        """What is wrong with the landed objects of a day that was made before."""
        objects = self._listed.read([day], ["key", "fault"]).to_pylist()
        if not objects and self.feed.event_time is not None:
            return NOTHING_LANDED
        return "; ".join(f"{entry['key']}: {entry['fault']}" for entry in objects if entry["fault"]) or None
