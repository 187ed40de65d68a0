"""Feeds of landed files, with the rows or the labels of a model, as ingestion and validation read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ml_assets.core.model_spec.labels import KNOWN_AT
from ml_assets.core.model_spec.source import Column, Quality, Source
from ml_assets.core.model_spec.types.derived_target import DerivedTarget

if TYPE_CHECKING:
    from ml_assets.core.model_spec.model import ModelSpec

ROW_KEY = "row_key"
"""The name under which violations of the row key are reported, in place of a column."""


class Contract(Protocol):
    """The contract of the landed files of a day; a ModelSpec without label files satisfies this protocol."""

    @property
    def name(self) -> str:
        """The name of the model."""
        ...

    @property
    def source(self) -> Source:
        """The location of the files."""
        ...

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns of a row."""
        ...

    @property
    def row_key(self) -> list[str]:
        """Columns that together identify a row of a day."""
        ...

    @property
    def event_time(self) -> str | None:
        """The column whose time lies in the day; None where days are days of delivery, whose rows may have any time or
        none.
        """
        ...

    @property
    def quality(self) -> Quality:
        """The conditions under which a day is published."""
        ...


@dataclass(frozen=True)
class Feed:
    """A contract, and the names of the tables that hold its files, its rows and their violations.

    derived: the target to derive from one of the columns of the valid rows, if any.
    """

    name: str
    source: Source
    columns: Mapping[str, Column]
    row_key: list[str]
    event_time: str | None
    quality: Quality
    raw: str
    objects: str
    validated: str
    quarantined: str
    violations: str
    derived: DerivedTarget | None = None


def rows_feed(spec: "ModelSpec") -> Feed:
    """Return the feed of the rows of a model, without the target if it is not in their files."""
    is_landed = spec.labels is None and spec.derived_target is None
    columns = {name: column for name, column in spec.columns.items() if is_landed or name != spec.target}
    tables = ("raw_data", "landed_objects", "validated_data", "quarantined_data", "violations")
    return Feed(
        spec.name, spec.source, columns, spec.row_key, spec.event_time, spec.quality, *tables, spec.derived_target
    )


def labels_feed(spec: "ModelSpec") -> Feed | None:
    """Return the feed of the label files of a model, with the columns of the key, the target and `known_at`; None where
    labels come with the rows.
    """
    labels = spec.labels
    if labels is None:
        return None
    target = spec.columns[spec.target]
    source = labels.label or target.source
    columns = {
        **{name: spec.columns[name] for name in labels.key},
        spec.target: target.model_copy(update={"source": source, "nullable": False}),
        KNOWN_AT: Column(type="timestamp", source=labels.known_at, description="When the label became known"),
    }
    files = spec.source.model_copy(update={"files": labels.files, "csv": labels.csv or spec.source.csv})
    tables = ("raw_labels", "landed_label_objects", "validated_labels", "quarantined_labels", "label_violations")
    return Feed(spec.name, files, columns, [*labels.key, KNOWN_AT], None, labels.quality, *tables)
