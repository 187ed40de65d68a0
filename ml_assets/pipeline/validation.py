"""Stage validated_data: rows that meet the contract, and quarantined_data: what does not, with the reasons."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.fingerprint import code_version
from ml_assets.core.spec import ModelSpec
from ml_assets.pipeline.ingestion import OBJECTS, RAW
from ml_assets.pipeline.stage import CannotMake, Made
from ml_assets.resources.lake import Lake

if TYPE_CHECKING:
    import pandas as pd

VALIDATED, QUARANTINED = "validated_data", "quarantined_data"
ENTRIES_AT_ONCE = 50_000


class Validation:
    """Rows that meet the contract; empty when the day was rejected or nothing landed.

    What was kept out of validated_data, nothing lost: rows, files and days with every reason.

    Input: the day of raw_data.
    """

    name = VALIDATED

    def __init__(self, spec: ModelSpec, lake: Lake):
        from ml_assets.core.schemas import LANDED_OBJECTS, QUARANTINE, raw_schema, row_schema

        self.spec = spec
        self.code = code_version("ml_assets.core.validation")
        self.spec_part = {
            "columns": {name: column.model_dump(mode="json", exclude={"description"}) for name, column in spec.columns.items()},
            "row_key": spec.row_key,
            "event_time": spec.event_time,
            "quality": spec.quality.model_dump(mode="json"),
            "time_zone": spec.source.time_zone,
        }
        self._raw, self._objects = lake.table(spec.name, RAW, raw_schema(spec)), lake.table(spec.name, OBJECTS, LANDED_OBJECTS)
        self.tables = {
            QUARANTINED: lake.table(spec.name, QUARANTINED, QUARANTINE),
            VALIDATED: lake.table(spec.name, VALIDATED, row_schema(spec)),
        }

    def refresh(self) -> None:
        """See what has been ingested since."""
        self._raw.refresh()
        self._objects.refresh()

    def inputs(self, day: date) -> list:
        """The fingerprint of the day of raw_data."""
        made = self._raw.fingerprint(day)
        if made is None:
            raise CannotMake(f"{self.spec.name}: {VALIDATED} of {day} needs {RAW} of that day; materialise it first")
        return [made]

    def make(self, day: date, alone: bool) -> Made:
        """Validate one day."""
        from ml_assets.core.validation import validate_day

        result = validate_day(self.spec, day, self._raw.read([day]), self._objects.read([day]))
        why = [entry["reasons"][0] for entry in result.quarantined.to_pylist() if entry["scope"] == "day"]
        return Made({QUARANTINED: result.quarantined, VALIDATED: result.accepted}, why[0] if why else None)

    def report(self, days: Sequence[date]) -> "pd.DataFrame":
        """What is in quarantine for `days`, counted by day, scope, file and reason."""
        import pandas as pd

        from ml_assets.core.quarantine_report import REPORT_COLUMNS, quarantine_report

        columns, quarantined = ["day", "scope", "source_file", "reasons"], self.tables[QUARANTINED]
        reports = [quarantine_report(quarantined.read(some, columns)) for some in self._days_to_read_at_once(days)]
        return pd.concat(reports, ignore_index=True) if reports else pd.DataFrame(columns=REPORT_COLUMNS)

    def rows_quarantined(self, days: Sequence[date]) -> int:
        """The number of quarantined rows of `days`."""
        scopes = (self.tables[QUARANTINED].read(some, ["scope"])["scope"] for some in self._days_to_read_at_once(days))
        return sum(of_some.to_pylist().count("row") for of_some in scopes)

    def _days_to_read_at_once(self, days: Sequence[date]) -> Iterator[list[date]]:
        """The days with entries, as many at once as memory has room for: rejected days are whole days of entries."""
        counts, some = self.tables[QUARANTINED].row_counts(), []
        for day in (day for day in days if counts.get(day)):
            if some and sum(counts[one] for one in some) + counts[day] > ENTRIES_AT_ONCE:
                yield some
                some = []
            some.append(day)
        if some:
            yield some

    def is_kept(self, day: date) -> bool:
        """Everything is in the lake."""
        return True
