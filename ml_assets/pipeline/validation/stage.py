"""Stages validated_data and validated_labels: rows that meet the contract, and quarantined rows with their reasons."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.tables.code_version import code_version
from ml_assets.core.validation.memory_estimate import bytes_per_row
from ml_assets.pipeline.asset_names import COLUMN_PROFILES, VALIDATED
from ml_assets.pipeline.engine.day_fingerprints import day_fingerprints
from ml_assets.pipeline.engine.stage import StageOutput
from ml_assets.pipeline.engine.upstream import read_fingerprint
from ml_assets.pipeline.validation.corrections import Corrections
from ml_assets.pipeline.validation.label_matching import LabelMatching
from ml_assets.resources.lake.lake import Lake

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.model_spec import ModelSpec
    from ml_assets.core.validation.corrections import CorrectedDay
    from ml_assets.core.validation.validate_day import ValidatedDay

# Quarantine entries that are read at once.
ENTRIES_AT_ONCE = 50_000


class Validation:
    """Rows that meet the contract; empty when the day was rejected or nothing landed.

    Rows, files and days that were not accepted, complete and with every reason.

    Inputs: the raw rows of the day, and the corrections of its rows.
    """

    def __init__(self, feed: Feed, lake: Lake, spec: "ModelSpec | None" = None):
        """Open the tables of a feed.

        Args:
            feed: the rows, or the labels.
            lake: holds the tables.
            spec: the model whose rows labels are matched with; None for rows.
        """
        from ml_assets.core.tables.schemas import (
            LANDED_OBJECTS_SCHEMA,
            PROFILE_SCHEMA,
            QUARANTINE_SCHEMA,
            VIOLATIONS_SCHEMA,
            raw_schema,
            row_schema,
        )

        self.name = feed.validated
        self._lake, self._spec = lake, spec
        self.feed = feed
        self._is_profiled = feed.validated == VALIDATED
        self.code = code_version(__name__)
        self.spec_part = {
            "columns": {
                name: column.model_dump(mode="json", exclude={"description", "blocking", "known_after"})
                for name, column in feed.columns.items()
            },
            **({"target": feed.derived.model_dump(mode="json")} if feed.derived else {}),
            "row_key": feed.row_key,
            "event_time": feed.event_time,
            "quality": feed.quality.model_dump(mode="json", exclude={"max_rule_share"}),
            "time_zone": feed.source.time_zone,
        }
        self._raw = lake.table(feed.name, feed.raw, raw_schema(feed))
        self._objects = lake.table(feed.name, feed.objects, LANDED_OBJECTS_SCHEMA)
        self._violations = lake.table(feed.name, feed.violations, VIOLATIONS_SCHEMA)
        self.quarantined = lake.table(feed.name, feed.quarantined, QUARANTINE_SCHEMA)
        self.validated = lake.table(feed.name, feed.validated, row_schema(feed))
        self._corrections = Corrections(lake, feed)
        self.tables = {
            feed.violations: self._violations,
            feed.quarantined: self.quarantined,
            feed.validated: self.validated,
        }
        self.matching = LabelMatching(spec, lake, self.validated) if spec and spec.labels else None
        if self._is_profiled:
            self.profiles = lake.table(feed.name, COLUMN_PROFILES, PROFILE_SCHEMA)
            self.tables = {COLUMN_PROFILES: self.profiles, **self.tables}

    def __reduce__(self) -> tuple[object, ...]:
        """Send the stage to another process, which opens its tables."""
        return type(self), (self.feed, self._lake, self._spec)

    def refresh(self) -> None:
        """Reopen the inputs at their newest versions."""
        self._raw.refresh()
        self._objects.refresh()
        self._corrections.refresh()
        if self.matching:
            self.matching.refresh()

    def inputs(self, day: date) -> list:
        """Return the fingerprint of the raw rows of the day and, if it has corrections, their keys."""
        raw = read_fingerprint(self.feed.name, self._raw, day, self.feed.validated, self.feed.raw)
        return [raw, *self._corrections.inputs(day)]

    def memory(self, days: Sequence[date]) -> int:
        """Estimate the bytes that a chunk of days takes, from its raw rows."""
        counts = self._raw.row_counts()
        return sum(counts.get(day, 0) for day in days) * bytes_per_row(self.feed)

    def make(self, days: Sequence[date], single_partition: bool) -> Iterator[StageOutput]:
        """Validate days, with corrected rows in place of landed ones, and profile the columns of each day."""
        from ml_assets.core.validation.validate_day import RawDay, validate_days

        corrected = [self.read_corrected_rows(day) for day in days]
        objects = [self._objects.read([day], ["key", "rows", "fault"]) for day in days]
        raw_days = [RawDay(day, rows.rows, of_day) for day, rows, of_day in zip(days, corrected, objects, strict=True)]
        validated = validate_days(self.feed, raw_days)
        return (self._output(*parts) for parts in zip(days, corrected, validated, strict=True))

    def _output(self, day: date, corrected: "CorrectedDay", result: "ValidatedDay") -> StageOutput:
        import pyarrow.compute as pc

        from ml_assets.core.profiling.profiles import profile_columns

        metadata = (
            {"corrections_applied": corrected.applied, "corrections_outdated": corrected.outdated}
            if self._corrections.inputs(day)
            else {}
        )
        (reasons,) = result.quarantined.filter(pc.field("scope") == "day")["reasons"].to_pylist() or [[None]]
        tables = {
            self.feed.violations: result.violations,
            self.feed.quarantined: result.quarantined,
            self.feed.validated: result.accepted,
        }
        if self._is_profiled:
            tables[COLUMN_PROFILES] = profile_columns(result.accepted, self.feed.source.time_zone)
        return StageOutput(tables, reasons[0], metadata, unread_tables=tables.keys() - {self.name})

    def read_corrected_rows(self, day: date) -> "CorrectedDay":
        """Read the raw rows of a day, with corrected rows in place of those that they replace."""
        from ml_assets.core.validation.corrections import CorrectedDay, apply_corrections, read_corrections

        raw = self._raw.read([day])
        files = self._corrections.read(day)
        if not files:
            return CorrectedDay(raw, 0, 0)
        return apply_corrections(self.feed, raw, read_corrections(files).values())

    def problem(self, day: date) -> str | None:
        """Return why a committed day was rejected or is missing; None if it was accepted."""
        report = self.report([day])
        reasons = report.loc[report["scope"] == "day", "reason"]
        return str(reasons.iloc[0]) if len(reasons) else None

    def report(self, days: Sequence[date]) -> "pd.DataFrame":
        """Count the quarantine entries of `days` by day, scope, file and reason."""
        import pandas as pd

        from ml_assets.core.validation.quarantine_report import REPORT_COLUMNS, quarantine_report

        columns = ["day", "scope", "source_file", "reasons"]
        reports = [quarantine_report(self.quarantined.read(chunk, columns)) for chunk in self._split_by_entries(days)]
        return pd.concat(reports, ignore_index=True) if reports else pd.DataFrame(columns=REPORT_COLUMNS)

    def violations(self, days: Sequence[date]) -> "pd.DataFrame":
        """Read the rules that rows of `days` violate, see `core.tables.schemas.VIOLATIONS_SCHEMA`, with the day."""
        from ml_assets.core.tables.schemas import VIOLATIONS_SCHEMA

        return self._violations.read(days, ["day", *VIOLATIONS_SCHEMA.names]).to_pandas()

    def days_with_rows(self) -> set[date]:
        """Return the days that have validated or raw rows."""
        return self._raw.row_counts().keys() | self.validated.row_counts().keys()

    def landed_fingerprints(self, days: Sequence[date]) -> list[list[object]]:
        """List each day with the fingerprints of its raw rows and of its landed objects."""
        return day_fingerprints((self._objects, self._raw), days)

    def days_with_files(self) -> list[date]:
        """Return the days with recorded landed objects, ascending."""
        return sorted(self._objects.row_counts())

    def landed_files(self, day: date) -> list[dict]:
        """Read key, fault and other columns of the landed objects of a day."""
        return self._objects.read([day], ["key", "fault", "other_columns"]).to_pylist()

    def landed_objects(self, days: Sequence[date]) -> list[dict]:
        """Read day, key, size, rows and fault of each landed object of `days`."""
        return self._objects.read(days, ["day", "key", "size", "rows", "fault"]).to_pylist()

    def count_quarantined_rows(self, days: Sequence[date]) -> int:
        """Count the quarantined rows of `days`."""
        scopes = (self.quarantined.read(chunk, ["scope"])["scope"] for chunk in self._split_by_entries(days))
        return sum(chunk_scopes.to_pylist().count("row") for chunk_scopes in scopes)

    def _split_by_entries(self, days: Sequence[date]) -> Iterator[list[date]]:
        """Split the days with entries into chunks that fit into memory: each row of a rejected day is an entry."""
        counts = self.quarantined.row_counts()
        chunk: list[date] = []
        for day in (day for day in days if counts.get(day)):
            if chunk and sum(counts[chunk_day] for chunk_day in chunk) + counts[day] > ENTRIES_AT_ONCE:
                yield chunk
                chunk = []
            chunk.append(day)
        if chunk:
            yield chunk
