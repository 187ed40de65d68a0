"""Stages validated_data and validated_labels: rows that meet the contract, and beside each what does not, with the
reasons.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.tables.code_version import code_version
from ml_assets.pipeline.asset_names import COLUMN_PROFILES, VALIDATED
from ml_assets.pipeline.engine.stage import StageOutput
from ml_assets.pipeline.engine.upstream import read_fingerprint
from ml_assets.pipeline.validation.corrections import Corrections
from ml_assets.resources.lake.lake import Lake

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.validation.corrections import CorrectedDay

ENTRIES_AT_ONCE = 50_000


class Validation:
    """Rows that meet the contract; empty when the day was rejected or nothing landed.

    What was kept out, nothing lost: rows, files and days with every reason.

    Inputs: the day as it was read, and the corrections of its rows.
    """

    def __init__(self, feed: Feed, lake: Lake):
        from ml_assets.core.tables.schemas import (
            LANDED_OBJECTS_SCHEMA,
            PROFILE_SCHEMA,
            QUARANTINE_SCHEMA,
            VIOLATIONS_SCHEMA,
            raw_schema,
            row_schema,
        )

        self.name, self.feed = feed.validated, feed
        self._is_profiled = feed.validated == VALIDATED
        self.code = code_version(__name__)
        self.spec_part = {
            "columns": {
                name: column.model_dump(mode="json", exclude={"description", "blocking"})
                for name, column in feed.columns.items()
            },
            "row_key": feed.row_key,
            "event_time": feed.event_time,
            "quality": feed.quality.model_dump(mode="json", exclude={"max_rule_share"}),
            "time_zone": feed.source.time_zone,
        }
        self._raw, self._objects = (
            lake.table(feed.name, feed.raw, raw_schema(feed)),
            lake.table(feed.name, feed.objects, LANDED_OBJECTS_SCHEMA),
        )
        self._violations = lake.table(feed.name, feed.violations, VIOLATIONS_SCHEMA)
        self.quarantined, self.validated = (
            lake.table(feed.name, feed.quarantined, QUARANTINE_SCHEMA),
            lake.table(feed.name, feed.validated, row_schema(feed)),
        )
        self._corrections = Corrections(lake, feed)
        self.tables = {
            feed.violations: self._violations,
            feed.quarantined: self.quarantined,
            feed.validated: self.validated,
        }
        if self._is_profiled:
            self.profiles = lake.table(feed.name, COLUMN_PROFILES, PROFILE_SCHEMA)
            self.tables = {COLUMN_PROFILES: self.profiles, **self.tables}

    def refresh(self) -> None:
        """See what has been ingested since."""
        self._raw.refresh()
        self._objects.refresh()
        self._corrections.refresh()

    def inputs(self, day: date) -> list:
        """The fingerprint of the day that was read, and what identifies its corrections; nothing more where it has
        none.
        """
        read = read_fingerprint(self.feed.name, self._raw, day, self.feed.validated, self.feed.raw)
        return [read, *self._corrections.inputs(day)]

    def make(self, day: date, single_partition: bool) -> StageOutput:
        """Validate one day, with corrected rows in place of landed ones, and profile the columns of its rows."""
        import pyarrow.compute as pc

        from ml_assets.core.profiling.profiles import profile_columns
        from ml_assets.core.validation.validate_day import validate_day

        corrected = self.corrected(day)
        result = validate_day(self.feed, day, corrected.rows, self._objects.read([day], ["key", "rows", "fault"]))
        metadata = (
            {"corrections_applied": corrected.applied, "corrections_outdated": corrected.outdated}
            if self._corrections.inputs(day)
            else {}
        )
        (why,) = result.quarantined.filter(pc.field("scope") == "day")["reasons"].to_pylist() or [[None]]
        made = {
            self.feed.violations: result.violations,
            self.feed.quarantined: result.quarantined,
            self.feed.validated: result.accepted,
        }
        if self._is_profiled:
            made[COLUMN_PROFILES] = profile_columns(result.accepted, self.feed.source.time_zone)
        return StageOutput(made, why[0], metadata, unread_tables=made.keys() - {self.name})

    def corrected(self, day: date) -> "CorrectedDay":
        """The rows of a day as they are judged: as they were read, with corrections in place of what they replace."""
        from ml_assets.core.validation.corrections import CorrectedDay, apply_corrections, read_corrections

        raw, files = self._raw.read([day]), self._corrections.read(day)
        return apply_corrections(self.feed, raw, read_corrections(files).values()) if files else CorrectedDay(raw, 0, 0)

    def problem(self, day: date) -> str | None:
        """Why a day that was made before was rejected, or that nothing landed."""
        report = self.report([day])
        why = report.loc[report["scope"] == "day", "reason"]
        return str(why.iloc[0]) if len(why) else None

    def report(self, days: Sequence[date]) -> "pd.DataFrame":
        """What is in quarantine for `days`, counted by day, scope, file and reason."""
        import pandas as pd

        from ml_assets.core.validation.quarantine_report import REPORT_COLUMNS, quarantine_report

        columns, quarantined = ["day", "scope", "source_file", "reasons"], self.quarantined
        reports = [quarantine_report(quarantined.read(some, columns)) for some in self._days_to_read_at_once(days)]
        return pd.concat(reports, ignore_index=True) if reports else pd.DataFrame(columns=REPORT_COLUMNS)

    def violations(self, days: Sequence[date]) -> "pd.DataFrame":
        """The rules that rows of `days` broke, see `core.schemas.BROKEN_RULES_SCHEMA`, with the day."""
        from ml_assets.core.tables.schemas import VIOLATIONS_SCHEMA

        return self._violations.read(days, ["day", *VIOLATIONS_SCHEMA.names]).to_pandas()

    def days_with_rows(self) -> set[date]:
        """The days that have rows, validated or at least landed."""
        return self._raw.row_counts().keys() | self.validated.row_counts().keys()

    def days_with_files(self) -> list[date]:
        """The days of which landed objects are known, in their order."""
        return sorted(self._objects.row_counts())

    def landed_files(self, day: date) -> list[dict]:
        """Key, fault and other columns of the landed objects of a day."""
        return self._objects.read([day], ["key", "fault", "other_columns"]).to_pylist()

    def landed_objects(self, days: Sequence[date]) -> list[dict]:
        """Day, key, size, rows and fault of each landed object of some days."""
        return self._objects.read(days, ["day", "key", "size", "rows", "fault"]).to_pylist()

    def rows_quarantined(self, days: Sequence[date]) -> int:
        """The number of quarantined rows of `days`."""
        scopes = (self.quarantined.read(some, ["scope"])["scope"] for some in self._days_to_read_at_once(days))
        return sum(of_some.to_pylist().count("row") for of_some in scopes)

    def _days_to_read_at_once(self, days: Sequence[date]) -> Iterator[list[date]]:
        """The days with entries, as many at once as memory has room for: rejected days are whole days of entries."""
        counts, some = self.quarantined.row_counts(), []
        for day in (day for day in days if counts.get(day)):
            if some and sum(counts[one] for one in some) + counts[day] > ENTRIES_AT_ONCE:
                yield some
                some = []
            some.append(day)
        if some:
            yield some
