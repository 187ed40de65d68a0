"""Stages validated_data and validated_labels: rows that meet the contract, and beside each what does not, with the reasons."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.fingerprint import code_version
from ml_assets.core.spec.feed import Feed
from ml_assets.pipeline.inputs import fingerprint_of
from ml_assets.pipeline.stage import Made
from ml_assets.resources.lake import Lake

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

VALIDATED, QUARANTINED = "validated_data", "quarantined_data"
LABELS, QUARANTINED_LABELS = "validated_labels", "quarantined_labels"


class Validation:
    """Rows that meet the contract; empty when the day was rejected or nothing landed.

    What was kept out, nothing lost: rows, files and days with every reason.

    Input: the day as it was read.
    """

    def __init__(self, feed: Feed, lake: Lake):
        from ml_assets.core.schemas import LANDED_OBJECTS, QUARANTINE, raw_schema, row_schema

        self.name, self.feed = feed.validated, feed
        self.code = code_version("ml_assets.core.validation")
        self.spec_part = {
            "columns": {name: column.model_dump(mode="json", exclude={"description"}) for name, column in feed.columns.items()},
            "row_key": feed.row_key,
            "event_time": feed.event_time,
            "quality": feed.quality.model_dump(mode="json"),
            "time_zone": feed.source.time_zone,
        }
        self._raw, self._objects = lake.table(feed.name, feed.raw, raw_schema(feed)), lake.table(feed.name, feed.objects, LANDED_OBJECTS)
        self.quarantined, self.validated = (
            lake.table(feed.name, feed.quarantined, QUARANTINE),
            lake.table(feed.name, feed.validated, row_schema(feed)),
        )
        self.tables = {feed.quarantined: self.quarantined, feed.validated: self.validated}

    def refresh(self) -> None:
        """See what has been ingested since."""
        self._raw.refresh()
        self._objects.refresh()

    def inputs(self, day: date) -> list:
        """The fingerprint of the day that was read."""
        return [fingerprint_of(self.feed.name, self._raw, day, self.feed.validated, self.feed.raw)]

    def make(self, day: date, alone: bool) -> Made:
        """Validate one day."""
        from ml_assets.core.validation import validate_day

        result = validate_day(self.feed, day, self._raw.read([day]), self._objects.read([day]))
        why = [entry["reasons"][0] for entry in result.quarantined.to_pylist() if entry["scope"] == "day"]
        return Made({self.feed.quarantined: result.quarantined, self.feed.validated: result.accepted}, why[0] if why else None)

    def problem(self, day: date) -> str | None:
        """Why a day that was made before was rejected, or that nothing landed."""
        report = self.report([day])
        why = report.loc[report["scope"] == "day", "reason"]
        return str(why.iloc[0]) if len(why) else None

    def report(self, days: Sequence[date]) -> "pd.DataFrame":
        """What is in quarantine for `days`, counted by day, scope, file and reason."""
        import pandas as pd

        from ml_assets.core.quarantine_report import REPORT_COLUMNS, quarantine_report

        # Day by day: the entries of a range of rejected days would not fit into memory.
        reports = [quarantine_report(self._entries(day, ["day", "scope", "source_file", "reasons"])) for day in self._days_with_entries(days)]
        return pd.concat(reports, ignore_index=True) if reports else pd.DataFrame(columns=REPORT_COLUMNS)

    def rows_quarantined(self, days: Sequence[date]) -> int:
        """The number of quarantined rows of `days`."""
        return sum(self._entries(day, ["scope"])["scope"].to_pylist().count("row") for day in self._days_with_entries(days))

    def _days_with_entries(self, days: Sequence[date]) -> list[date]:
        counts = self.quarantined.row_counts()
        return [day for day in days if counts.get(day)]

    def _entries(self, day: date, columns: list[str]) -> "pa.Table":
        return self.quarantined.read([day], columns)

    def is_kept(self, day: date) -> bool:
        """Everything is in the lake."""
        return True
