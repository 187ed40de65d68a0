"""Labels in files of their own, and late changes to the files of past days."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from pydantic import Field, field_validator

from ml_assets.core.model_spec.source import Column, Quality, check_files_pattern, column_of
from ml_assets.core.model_spec.types.base import SpecPart, repeated
from ml_assets.core.model_spec.types.csv_dialect import CsvDialect
from ml_assets.core.model_spec.types.durations import Duration

KNOWN_AT = "known_at"


class Labels(SpecPart):
    """Labels that come in files of their own, days or weeks after the rows, and may be corrected later.

    The files of the rows then need no column for the target. A label counts from the later of the day of its file and
    the day on which it became known; of several labels of a row, the one that became known last wins. A model of day D
    is trained and evaluated on the labels that count on day D; window features of the target use those that counted
    when their day began."""

    files: str
    """Files of one day of delivery, relative to the landing root, as in `source.files`. A day may have no files."""

    key: list[str] = Field(min_length=1)
    """Columns that identify the row of a label; rows with the same key, of any day, have the same label. Their names in
    the label files are the same as in the files of the rows."""

    label: str | None = None
    """Name of the label in the files, if it differs from that of the target."""

    known_at: str = KNOWN_AT
    """Name of the timestamp column in the files that says when the label became known."""

    unlabelled: Literal["exclude", "negative"] = "exclude"
    """Treatment of a row without a label. exclude: it is excluded from training and evaluation. negative: it is a
    negative, for files that list only the positives."""

    csv: CsvDialect | None = None
    """Dialect of the CSV files of labels; by default that of `source.csv`."""

    quality: Quality = Quality(min_rows=0)
    """Conditions under which a day of label files is published."""

    @field_validator("files")
    @classmethod
    def _names_the_day(cls, value: str) -> str:
        return check_files_pattern(value)


class LateData(SpecPart):
    """Late changes to the landed files (rows or labels) of a past day."""

    open_for: Duration = timedelta(days=30)
    """Time after the end of a day during which it is recomputed when its files change."""

    afterwards: Literal["reopen", "refuse"] = "reopen"
    """Effect of a change to a closed day that was computed before. reopen: the day is recomputed, and its outcome says
    so. refuse: the day is not changed, and the change is reported. A day that was never computed is computed in both
    cases."""

    reopened: list[date] = []
    """Closed days that are recomputed in spite of `afterwards: refuse`."""

    removed_through: date | None = None
    """The last day whose files were removed on purpose. A later day whose files disappear becomes empty, but if the
    files of most days in the lake disappear at once, that is an error, because a landing that is not mounted looks the
    same."""


def check_labels(labels: Labels | None, columns: Mapping[str, Column], target: str) -> None:
    """Check that labels fit the columns of their model.

    Raises:
        ValueError: names the field and the reason.
    """
    if labels is None:
        return
    if twice := repeated(labels.key):
        raise ValueError(f"labels.key: named more than once: {', '.join(twice)}")
    for name in labels.key:
        if column_of(columns, "labels.key", name).nullable:
            raise ValueError(f"labels.key: {name} is nullable; a label without a key belongs to no row")
    if target in labels.key:
        raise ValueError(f"labels.key: {target} is the target; the key names the row that the label belongs to")
    if taken := [name for name in columns if name.lower() == KNOWN_AT]:
        raise ValueError(
            f"columns.{taken[0]}: the table of labels needs this name; rename the column (`source` is its name in the "
            "files)"
        )
    sources = [columns[name].source or name for name in labels.key]
    sources += [labels.label or columns[target].source or target, labels.known_at]
    if twice := repeated(sources):
        raise ValueError(
            f"labels: each column needs its own source in the label files; used more than once: {', '.join(twice)}"
        )
