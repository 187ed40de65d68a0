"""Labels in files of their own, and what a change of files does to a day that is long past."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from pydantic import Field, field_validator

from ml_assets.core.model_spec.source import Column, Quality, check_files_pattern
from ml_assets.core.model_spec.types.base import SpecPart, repeated
from ml_assets.core.model_spec.types.durations import Duration

KNOWN_AT = "known_at"


class Labels(SpecPart):
    """Labels that come in files of their own, days or weeks after the rows, and may be corrected later.

    The files of the rows then need no column of the target. A label counts from the day of its file on, or from the day
    on which it became known, if that is later; of several labels of a row the one that became known last counts. A
    model of day D is trained and judged on the labels that count on day D, and window features of the target see those
    that counted when their day began."""

    files: str
    """Files of one day, relative to the landing root, as in `source.files`; the day is that on which the files are
    delivered. A day may have none.
    """

    key: list[str] = Field(min_length=1)
    """Columns that name the row which a label belongs to; rows with the same key, of any day, have the same label. The
    label files have them under the same names as the files of the rows."""

    label: str | None = None
    """Name of the label in the files, when it differs from that of the target."""

    known_at: str = KNOWN_AT
    """Name of the time stamp in the files that says when the label became known."""

    unlabelled: Literal["exclude", "negative"] = "exclude"
    """What a row without a label is: left out of training and evaluation, or negative (where files name the positives
    only).
    """

    quality: Quality = Quality(min_rows=0)
    """When a day of label files is good enough to publish."""

    @field_validator("files")
    @classmethod
    def _names_the_day(cls, value: str) -> str:
        return check_files_pattern(value)


class LateData(SpecPart):
    """What a change of landed files does to a day that is long past, of rows or of labels."""

    open_for: Duration = timedelta(days=30)
    """How long after its end a day stays open: changed files make it again as a matter of course."""

    afterwards: Literal["reopen", "refuse"] = "reopen"
    """What a change does to a closed day that was made before. reopen: it is made again, and the outcome says so.
    refuse: it stays as it was made, and the change is reported. A day that was never made is made either way."""

    reopened: list[date] = []
    """Closed days that are to be made again all the same."""


def check_labels(labels: Labels, columns: Mapping[str, Column], target: str) -> None:
    """See that labels fit the columns of their model.

    Raises:
        ValueError: when they do not; names the field.
    """
    if twice := repeated(labels.key):
        raise ValueError(f"labels.key: {', '.join(twice)} stands there more than once")
    for name in labels.key:
        if name not in columns:
            raise ValueError(f"labels.key: there is no column {name}; the columns are {', '.join(columns)}")
        if columns[name].nullable:
            raise ValueError(f"labels.key: {name} is nullable; a label without a key belongs to no row")
    if target in labels.key:
        raise ValueError(f"labels.key: {target} is the target; the key names the row that the label belongs to")
    if KNOWN_AT in columns:
        raise ValueError(
            f"columns.{KNOWN_AT}: the table of labels needs this name; rename the column (its name in the files is `source`)"
        )
    files = [columns[name].source or name for name in labels.key]
    files += [labels.label or columns[target].source or target, labels.known_at]
    if twice := repeated(files):
        raise ValueError(f"labels: {', '.join(twice)} in the label files is the source of more than one column")
