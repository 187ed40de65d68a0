"""Labels from files of their own, joined to rows by key as of a day."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.engine.upstream import read_fingerprints
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.features.label_join import RowLabels

# Days of label files whose rows are kept: a model of the next day asks for most of them again.
DELIVERIES_KEPT = 64


def labels_part(spec: ModelSpec) -> object:
    """The part of the spec that decides which labels rows have, for fingerprints."""
    return [spec.labels.key, spec.labels.unlabelled] if spec.labels else None


class LabelsByKey:
    """The labels of the rows of a table, as they count on a day."""

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing, rows: Table):
        """Take the table that holds the rows, with the columns of `labels.key`."""
        from ml_assets.core.tables.schemas import row_schema

        feed = labels_feed(spec)
        assert feed is not None
        self._spec, self._feed, self._landing, self._rows = spec, feed, landing, rows
        self._labels = lake.table(spec.name, feed.validated, row_schema(feed))
        self._of_day: dict[date, tuple[RowLabels, date]] = {}
        self._deliveries: OrderedDict[date, pd.DataFrame] = OrderedDict()
        self._complete: set[date] = set()

    def refresh(self) -> None:
        """See what has been delivered and made since."""
        self._rows.refresh()
        self._labels.refresh()
        self._of_day.clear()
        self._deliveries.clear()
        self._complete.clear()

    def inputs(self, days: Sequence[date], as_of: date, reader: str) -> list[list]:
        """[day, digest of its rows' labels as they count on `as_of`] of each day of rows.

        Args:
            days: days of rows, ascending.
            as_of: the day on which the labels count.
            reader: who reads them, for the message.

        Raises:
            CannotMake: when label files up to `as_of` have landed and were never made; names the days.
        """
        if not days:
            return []
        delivered = [days[0] + timedelta(days=n) for n in range((as_of - days[0]).days + 1)]
        lacking = [day for day in delivered if self._labels.fingerprint(day) in (None, EXPIRED)]
        if unsure := [day for day in lacking if day not in self._complete]:
            read_fingerprints(self._feed, self._landing, self._labels, unsure, reader, self._feed.validated)
            self._complete.update(unsure)
        for held in [held for held in self._of_day if held < days[0]]:
            del self._of_day[held]
        self._bring_up_to(days, as_of)
        return [[day.isoformat(), self._of_day[day][0].digest(as_of)] for day in days]

    def column(self, day: date, as_of: date) -> "pd.Series":
        """The target of the rows of a day, in their order, as it counts on `as_of`; see `RowLabels.column`."""
        self._bring_up_to([day], as_of)
        return self._of_day[day][0].column(as_of)

    def count_late(self, days: Sequence[date], as_of: date) -> tuple[int, int]:
        """(labels of the rows of some days that counted only after `label_delay`, all labels), as they count on
        `as_of`.
        """
        self._bring_up_to(days, as_of)
        counts = [self._of_day[day][0].count_late(day + self._spec.label_delay, as_of) for day in days]
        return sum(late for late, _ in counts), sum(labels for _, labels in counts)

    def _bring_up_to(self, days: Sequence[date], as_of: date) -> None:
        """Give the rows of some days all labels that were delivered up to `as_of`, reading each delivery once."""
        from ml_assets.core.features.label_join import RowLabels
        from ml_assets.core.tables.schemas import to_pandas

        labels = self._spec.labels
        assert labels is not None
        for day in days:
            if day not in self._of_day:
                # A label is never delivered before its row.
                self._of_day[day] = (
                    RowLabels(self._spec, to_pandas(self._rows.read([day], labels.key))),
                    day - timedelta(days=1),
                )
        delivered = min(self._of_day[day][1] for day in days)
        while delivered < as_of:
            delivered += timedelta(days=1)
            behind = [day for day in days if self._of_day[day][1] < delivered]
            found = self._delivery(delivered)
            for day in behind:
                if len(found):
                    self._of_day[day][0].add(delivered, found)
                self._of_day[day] = self._of_day[day][0], delivered

    def _delivery(self, day: date) -> "pd.DataFrame":
        from ml_assets.core.tables.schemas import to_pandas

        if day not in self._deliveries:
            self._deliveries[day] = to_pandas(self._labels.read([day]))
            while len(self._deliveries) > DELIVERIES_KEPT:
                self._deliveries.popitem(last=False)
        return self._deliveries[day]
