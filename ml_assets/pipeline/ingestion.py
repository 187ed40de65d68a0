"""Stage raw_data: the landed files of a day, read, renamed and typed, with the provenance of each object."""

from collections.abc import Sequence
from datetime import date

from ml_assets.core.fingerprint import EXPIRED, code_version
from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.stage import CannotMake, InputChanged, Made
from ml_assets.resources.lake import Lake
from ml_assets.resources.landing import Landing, ObjectChanged
from ml_assets.resources.objects import StoredObject

RAW, OBJECTS = "raw_data", "landed_objects"


def describe_objects(objects: Sequence[StoredObject]) -> list:
    """Landed objects as inputs of a fingerprint: (key, digest, size) of each."""
    return [[found.key, found.digest, found.size] for found in objects]


class Ingestion:
    """The landed files of a day, read, renamed and typed. Every value that could not be read is kept, with file and row.

    Inputs: the landed objects by key, digest and size.
    """

    name = RAW

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing):
        from ml_assets.core.schemas import LANDED_OBJECTS, raw_schema

        self.spec, self.landing = spec, landing
        self.code = code_version("ml_assets.core.landed_files")
        columns = {name: [column.type, column.source, column.nullable] for name, column in spec.columns.items()}
        self.spec_part = {"columns": columns, "time_zone": spec.source.time_zone}
        self.tables = {OBJECTS: lake.table(spec.name, OBJECTS, LANDED_OBJECTS), RAW: lake.table(spec.name, RAW, raw_schema(spec))}
        self._objects: dict[date, list] = {}

    def refresh(self) -> None:
        """List the landing again."""
        self._objects.clear()

    def inputs(self, day: date) -> list:
        """(key, digest, size) of each landed object of the day."""
        if day not in self._objects:
            self._objects[day] = self.landing.objects_of_day(self.spec.source, day)
        return describe_objects(self._objects[day])

    def make(self, day: date, alone: bool) -> Made:
        """Read the day's objects. What cannot be read is kept as a fault of its object."""
        import pyarrow as pa

        from ml_assets.core.landed_files import read_landed_file
        from ml_assets.core.schemas import LANDED_OBJECTS, raw_schema

        found = self._objects[day]
        if not found and self.tables[RAW].fingerprint(day) == EXPIRED:
            raise CannotMake(
                f"{self.spec.name}: the rows of {day} were removed by retention, and its files are no longer under {self.landing.uri}; an empty "
                "day would stand for them. Put its files there again, or leave the day as it is."
            )
        if not found and alone and self.tables[RAW].fingerprint(day) is None:
            raise CannotMake(
                f"{self.spec.name}: no files have landed for {day}; looked for {self.spec.source.files} under {self.landing.uri}. "
                "Put the day's files there and materialise it again."
            )
        parts, objects = [raw_schema(self.spec).empty_table()], []
        for stored in found:
            try:
                file = read_landed_file(self.spec, stored.key, self.landing.read(stored))
            except ObjectChanged as error:
                raise InputChanged(str(error)) from error
            rows = file.rows.num_rows if file.rows is not None else None
            objects.append({"key": stored.key, "digest": stored.digest, "size": stored.size, "rows": rows, "fault": file.fault})
            if file.rows is not None:
                parts.append(file.rows)
        faults = [f"{entry['key']}: {entry['fault']}" for entry in objects if entry["fault"]]
        problem = "no files have landed" if not found else "; ".join(faults) or None
        raw = pa.concat_tables(parts)
        return Made(
            {OBJECTS: pa.Table.from_pylist(objects, schema=LANDED_OBJECTS), RAW: raw},
            problem,
            {"objects": len(found), "bytes": sum(stored.size for stored in found)},
        )

    def is_kept(self, day: date) -> bool:
        """Everything is in the lake."""
        return True
