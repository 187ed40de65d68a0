"""The labels of each delivery matched with the landed rows in the lake."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.model_spec.labels import KNOWN_AT
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.engine.day_fingerprints import day_fingerprints
from ml_assets.pipeline.validation.corrections import Corrections
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.validation.label_match import LabelMatch, LabelMatcher

# Deliveries that are matched together, so that rows are read once for all of them.
DELIVERIES_AT_ONCE = 25
# Keys are converted to their canonical form one by one.
MAX_ROWS_OF_FORMS = 500_000
DAY = timedelta(days=1)


class LabelMatching:
    """Deliveries of labels, matched with the rows of raw_data, so that labels of rejected or quarantined rows match,
    too.

    Args:
        spec: the model; its labels come in files of their own.
        lake: holds rows and labels.
        labels: the table of validated labels.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, labels: Table):
        from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA, raw_schema, row_schema

        feed = rows_feed(spec)
        self._spec = spec
        self._labels = labels
        self._raw = lake.table(feed.name, feed.raw, raw_schema(feed))
        self._validated = lake.table(feed.name, feed.validated, row_schema(feed))
        self._objects = lake.table(feed.name, feed.objects, LANDED_OBJECTS_SCHEMA)
        self._corrections = Corrections(lake, feed)
        self._matches: dict[date, LabelMatch | None] = {}

    @property
    def _key(self) -> list[str]:
        assert self._spec.labels is not None
        return self._spec.labels.key

    def labels_before(self, day: date, days: int) -> list[int]:
        """Return the number of labels that were delivered on each of the days before a day."""
        counts = self._labels.row_counts()
        return [counts.get(day - number * DAY, 0) for number in range(days, 0, -1)]

    def refresh(self) -> None:
        """Reopen the tables at their newest versions."""
        for table in (self._labels, self._raw, self._validated, self._objects):
            table.refresh()
        self._corrections.refresh()
        self._matches.clear()

    def fingerprints(self, day: date) -> list[list[object]]:
        """List the fingerprints of all rows that the labels of a delivery may belong to: those up to its day."""
        days = sorted({*self._raw.days(), *self._validated.days()})
        return day_fingerprints(
            (self._objects, self._raw, self._validated), [row_day for row_day in days if row_day <= day]
        )

    def match(self, days: Sequence[date]) -> "dict[date, LabelMatch]":
        """Match the labels of each delivery; days without labels are left out."""
        missing = [day for day in days if day not in self._matches]
        for begin in range(0, len(missing), DELIVERIES_AT_ONCE):
            chunk = missing[begin : begin + DELIVERIES_AT_ONCE]
            self._matches |= dict.fromkeys(chunk) | self._match(chunk)
        matches = {day: self._matches[day] for day in days}
        return {day: match for day, match in matches.items() if match is not None}

    def _match(self, days: Sequence[date]) -> "dict[date, LabelMatch]":
        from ml_assets.core.tables.schemas import to_pandas
        from ml_assets.core.validation.label_match import LabelMatcher, list_undecided_days

        counts = self._labels.row_counts()
        deliveries = {day: to_pandas(self._labels.read([day], [*self._key, KNOWN_AT])) for day in days if day in counts}
        if not deliveries:
            return {}
        zone = self._spec.source.time_zone
        matcher = LabelMatcher(self._key, deliveries)
        days_with_rows = self._raw.row_counts()
        self._find_rows(matcher, [day for day in sorted(days_with_rows, reverse=True) if day <= days[-1]])
        undecided: set[date] = set()
        if known := matcher.known_days(zone):
            first = known[0] - self._spec.label_delay - DAY
            near = [day for day in sorted(days_with_rows, reverse=True) if first <= day <= days[-1]]
            self._find_forms(matcher, near, days_with_rows)
            undecided = list_undecided_days(known, days_with_rows, self._damaged(near), self._spec.label_delay)
        return {day: matcher.match(day, undecided, zone) for day in deliveries}

    def _find_rows(self, matcher: "LabelMatcher", days: Sequence[date]) -> None:
        corrected = set(self._corrections.days())
        for day in days:
            if not matcher.unmatched:
                return
            matcher.add_rows(day, self._read_keys(self._raw, day))
            if day in corrected:
                matcher.add_rows(day, self._read_keys(self._validated, day))

    def _find_forms(self, matcher: "LabelMatcher", days: Sequence[date], counts: dict[date, int]) -> None:
        rows = 0
        for day in days:
            rows += counts[day]
            if rows > MAX_ROWS_OF_FORMS and day != days[0]:
                return
            if not matcher.add_forms(self._read_keys(self._raw, day)):
                return

    def _read_keys(self, table: Table, day: date) -> "pd.DataFrame":
        from ml_assets.core.tables.schemas import to_pandas

        return to_pandas(table.read([day], self._key))

    def _damaged(self, days: Sequence[date]) -> set[date]:
        """Return the days that lack rows, because a file could not be read or because retention removed them."""
        faults = self._objects.read(sorted(days), ["day", "fault"]).to_pylist() if days else []
        expired = {day for day in days if self._raw.fingerprint(day) == EXPIRED}
        return {entry["day"] for entry in faults if entry["fault"]} | expired
