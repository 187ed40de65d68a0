"""Matching of labels with rows by key: labels without a row, and keys that differ from a row's key only in form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from ml_assets.core.model_spec.labels import KNOWN_AT
from ml_assets.core.validation.key_form import SEPARATOR, canonical_form, describe_difference

MAX_EXAMPLES = 10
DAY = timedelta(days=1)
WEEKS_AROUND = (-14, -7, 7, 14)


@dataclass(frozen=True)
class LabelMatch:
    """The labels of one delivery, grouped by what is known about their rows.

    labels: delivered keys. other_form: keys without a row that equal a row's key in another form. unmatched: other keys
    without a row, although the days that could contain it are in the lake. undecided: keys without a row that may have
    one outside the lake. examples: a few keys of other_form and unmatched, with the difference.
    """

    labels: int
    other_form: int = 0
    unmatched: int = 0
    undecided: int = 0
    examples: Sequence[Mapping[str, str]] = field(default_factory=list)

    @property
    def without_row(self) -> int:
        """Number of labels without a row."""
        return self.other_form + self.unmatched

    @property
    def decided(self) -> int:
        """Number of labels that are known to have a row or to have none."""
        return self.labels - self.undecided

    @property
    def share(self) -> float:
        """Share of labels without a row among the decided labels."""
        return self.without_row / self.decided if self.decided else 0.0


class LabelMatcher:
    """Search for the keys of several deliveries of labels among rows, one day of rows at a time.

    Args:
        names: the columns of the key.
        deliveries: the labels of each day of delivery: the columns of the key, and `known_at` (tz-aware).
    """

    def __init__(self, names: Sequence[str], deliveries: Mapping[date, pd.DataFrame]):
        self._names = list(names)
        self._deliveries = {day: labels.drop_duplicates(self._names) for day, labels in deliveries.items()}
        every = pd.concat([labels[self._names] for labels in self._deliveries.values()], ignore_index=True)
        self._keys = self._index(every).unique()
        # The first day with a row of each key, and the first delivery that names it: a label is never joined to a row
        # of a later day.
        self._first_row = np.full(len(self._keys), date.max.toordinal())
        self._first_delivery = np.full(len(self._keys), date.max.toordinal())
        for day, labels in self._deliveries.items():
            positions = self._keys.get_indexer(self._index(labels))
            self._first_delivery[positions] = np.minimum(self._first_delivery[positions], day.toordinal())
        self._row_of_form: dict[str, str] = {}
        self._forms: set[str] = set()

    @property
    def unmatched(self) -> int:
        """Number of keys for which no row of the day of their first delivery or earlier has been found so far."""
        return int((self._first_row > self._first_delivery).sum())

    def add_rows(self, day: date, rows: pd.DataFrame) -> None:
        """Look for the keys among the rows of a day."""
        positions = self._keys.get_indexer(self._index(rows.dropna()).unique())
        positions = positions[positions >= 0]
        self._first_row[positions] = np.minimum(self._first_row[positions], day.toordinal())

    def add_forms(self, rows: pd.DataFrame) -> bool:
        """Look for keys without a row, in another form, among the keys of some rows; return whether any key is left."""
        if not self._forms:
            self._forms = set(canonical_form(_to_text(self._keys[self._first_row > self._first_delivery])))
        texts = _to_text(self._index(rows.dropna()).unique())
        for text, form in zip(texts, canonical_form(texts), strict=True):
            if form in self._forms:
                self._row_of_form.setdefault(form, text)
        return len(self._row_of_form) < len(self._forms)

    def known_days(self, time_zone: str) -> list[date]:
        """List the days on which labels without a row became known, ascending."""
        days: set[date] = set()
        for delivery in self._deliveries:
            labels = self._without_row(delivery)
            days.update(_known_days(labels, delivery, time_zone))
        return sorted(days)

    def match(self, delivery: date, undecided_days: Collection[date], time_zone: str) -> LabelMatch:
        """Summarize one delivery.

        Args:
            delivery: the day of the delivery.
            undecided_days: days of `known_days` on which the row of a label may be outside the lake.
            time_zone: the time zone of the source.
        """
        labels = self._without_row(delivery)
        texts = _to_text(self._index(labels))
        is_undecided = [known in undecided_days for known in _known_days(labels, delivery, time_zone)]
        rows = [self._row_of_form.get(form) for form in canonical_form(texts)]
        other_form = [
            {"label": text, "row": row, "difference": describe_difference(text, row)}
            for text, row in zip(texts, rows, strict=True)
            if row is not None
        ]
        others = [(text, undecided) for text, row, undecided in zip(texts, rows, is_undecided, strict=True) if not row]
        unmatched = [{"label": text, "row": "", "difference": "no row"} for text, undecided in others if not undecided]
        return LabelMatch(
            len(self._deliveries[delivery]),
            len(other_form),
            len(unmatched),
            len(others) - len(unmatched),
            [*other_form, *unmatched][:MAX_EXAMPLES],
        )

    def _without_row(self, delivery: date) -> pd.DataFrame:
        labels = self._deliveries[delivery]
        return labels[self._first_row[self._keys.get_indexer(self._index(labels))] > delivery.toordinal()]

    def _index(self, frame: pd.DataFrame) -> pd.Index:
        return pd.MultiIndex.from_frame(frame[self._names]) if len(self._names) > 1 else pd.Index(frame[self._names[0]])


def list_undecided_days(
    known: Sequence[date], days_with_rows: Collection[date], damaged: Collection[date], delay: timedelta
) -> set[date]:
    """List the days whose labels may belong to rows outside the lake.

    Except for late labels, the row of a label lies at most `delay` before the day on which the label became known. It
    may be outside the lake if this period begins before the first day with rows, or contains a day with missing or
    incomplete rows. A day without rows does not count as missing if the same weekday of the surrounding weeks has no
    rows either.

    Args:
        known: the days on which the labels became known.
        days_with_rows: the days with rows in the lake.
        damaged: days with incomplete rows.
        delay: `label_delay`.
    """
    first = min(days_with_rows, default=date.max)

    def is_incomplete(day: date) -> bool:
        if day in damaged:
            return True
        around = (day + timedelta(days=offset) for offset in WEEKS_AROUND)
        return day not in days_with_rows and any(other in days_with_rows for other in around)

    incomplete: dict[date, bool] = {}
    undecided = set()
    for day in known:
        covered = [day - DAY * back for back in range(-(-delay // DAY) + 1)]
        for other in covered:
            if other not in incomplete:
                incomplete[other] = other < first or is_incomplete(other)
        if any(incomplete[other] for other in covered):
            undecided.add(day)
    return undecided


def _known_days(labels: pd.DataFrame, delivery: date, time_zone: str) -> list[date]:
    """Return the day on which each label became known, at the latest the day of delivery."""
    return [min(day, delivery) for day in labels[KNOWN_AT].dt.tz_convert(time_zone).dt.date]


def _to_text(keys: pd.Index) -> list[str]:
    if isinstance(keys, pd.MultiIndex):
        return [SEPARATOR.join(map(str, key)) for key in keys]
    return [str(key) for key in keys]
