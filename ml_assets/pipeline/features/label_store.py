"""Labels from files of their own, joined to rows by key as of a day."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed
from ml_assets.pipeline.engine.day_fingerprints import day_fingerprints
from ml_assets.pipeline.engine.upstream import read_fingerprints
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.features.label_join import RowLabels

# Days of label files whose rows are cached: the model of the next day reads most of them again.
DELIVERIES_CACHED = 64


def labels_part(spec: ModelSpec) -> object:
    """Return the part of the spec that decides which labels rows have, for fingerprints."""
    return [spec.labels.key, spec.labels.unlabelled] if spec.labels else None


class LabelsByKey:
    """Labels of the rows of a table, as of a given day."""

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing, rows: Table):
        """Open the labels of a model.

        Args:
            spec: the model; its labels come in files of their own.
            lake: holds the table of validated labels.
            landing: holds the label files.
            rows: table of the rows, with the columns of `labels.key`.
        """
        from ml_assets.core.tables.schemas import row_schema

        feed = labels_feed(spec)
        assert feed is not None
        self._spec = spec
        self._feed = feed
        self._lake = lake
        self._landing = landing
        self._rows = rows
        self._labels = lake.table(spec.name, feed.validated, row_schema(feed))
        # The labels of each day of rows, and the last delivery day that has been applied to them.
        self._labels_by_day: dict[date, tuple[RowLabels, date]] = {}
        self._deliveries: OrderedDict[date, pd.DataFrame] = OrderedDict()
        self._days_without_files: set[date] = set()

    def refresh(self) -> None:
        """Forget cached labels and reopen the tables at their newest versions."""
        self._rows.refresh()
        self._labels.refresh()
        self._labels_by_day.clear()
        self._deliveries.clear()
        self._days_without_files.clear()

    def inputs(self, days: Sequence[date], as_of: date, reader: str) -> list[list]:
        """Return [day, digest of its rows' labels as they count on `as_of`] for each day of rows.

        Args:
            days: days of rows, ascending.
            as_of: the day on which the labels count.
            reader: name of the asset that reads them, for the error message.

        Raises:
            CannotMake: when label files up to `as_of` have landed but are not in validated_labels; the message names
                the days.
        """
        if not days:
            return []
        delivery_days = [days[0] + timedelta(days=n) for n in range((as_of - days[0]).days + 1)]
        absent = [day for day in delivery_days if not self._labels.is_committed(day)]
        if unverified := [day for day in absent if day not in self._days_without_files]:
            read_fingerprints(
                self._feed, self._lake, self._landing, self._labels, unverified, reader, self._feed.validated
            )
            self._days_without_files.update(unverified)
        for outdated in [day for day in self._labels_by_day if day < days[0]]:
            del self._labels_by_day[outdated]
        self._apply_deliveries(days, as_of)
        return [[day.isoformat(), self._labels_by_day[day][0].digest(as_of)] for day in days]

    def fingerprints(self, first: date, as_of: date) -> list[list[object]]:
        """List the fingerprints of the deliveries from `first` to `as_of`."""
        days = [first + timedelta(days=number) for number in range((as_of - first).days + 1)]
        return day_fingerprints([self._labels], days)

    def column(self, day: date, as_of: date) -> "pd.Series":
        """Return the target of the rows of a day as of `as_of`, in row order; see `RowLabels.column`."""
        self._apply_deliveries([day], as_of)
        return self._labels_by_day[day][0].column(as_of)

    def count_late(self, days: Sequence[date], as_of: date) -> tuple[int, int]:
        """Count the labels of the rows of `days` as of `as_of`: (those that counted only after `label_delay`, all)."""
        self._apply_deliveries(days, as_of)
        counts = [self._labels_by_day[day][0].count_late(day + self._spec.label_delay, as_of) for day in days]
        return sum(late for late, _ in counts), sum(labels for _, labels in counts)

    def _apply_deliveries(self, days: Sequence[date], as_of: date) -> None:
        """Add all labels that were delivered up to `as_of` to the rows of `days`, reading each delivery once."""
        from ml_assets.core.features.label_join import RowLabels
        from ml_assets.core.tables.schemas import to_pandas

        labels = self._spec.labels
        assert labels is not None
        for day in days:
            if day not in self._labels_by_day:
                # A label is never delivered before its row.
                self._labels_by_day[day] = (
                    RowLabels(self._spec, to_pandas(self._rows.read([day], labels.key))),
                    day - timedelta(days=1),
                )
        delivered = min(self._labels_by_day[day][1] for day in days)
        while delivered < as_of:
            delivered += timedelta(days=1)
            behind = [day for day in days if self._labels_by_day[day][1] < delivered]
            delivery = self._read_delivery(delivered)
            for day in behind:
                if len(delivery):
                    self._labels_by_day[day][0].add(delivered, delivery)
                self._labels_by_day[day] = self._labels_by_day[day][0], delivered

    def _read_delivery(self, day: date) -> "pd.DataFrame":
        from ml_assets.core.tables.schemas import to_pandas

        if day not in self._deliveries:
            self._deliveries[day] = to_pandas(self._labels.read([day]))
            while len(self._deliveries) > DELIVERIES_CACHED:
                self._deliveries.popitem(last=False)
        return self._deliveries[day]
