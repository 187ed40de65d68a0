"""Rows and files of the days that a plan makes: known from the lake where nothing changed, else estimated from
bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from ml_assets.core.tables.fingerprint import CHANGED_INPUT, NEW
from ml_assets.pipeline.asset_names import FEATURES, LABEL_ASSETS, LANDED_TO_FEATURES
from ml_assets.pipeline.engine.stage import Stage
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.resources.lake.table import Table

MOST_DAYS_SAMPLED = 30


@dataclass(frozen=True)
class Rows:
    """A number of rows: `count` is None when nothing is known of it, `exact` is false when it is an estimate."""

    count: int | None
    exact: bool

    @classmethod
    def total(cls, parts: Iterable["Rows"]) -> "Rows":
        """The sum; unknown when one of the parts is."""
        found = list(parts)
        counts = [part.count for part in found if part.count is not None]
        return cls(sum(counts) if len(counts) == len(found) else None, all(part.exact for part in found))


@dataclass(frozen=True)
class FileChanges:
    """Keys of the landed files of a day that are not as they were when the day was made."""

    new: list[str]
    removed: list[str]
    rewritten: list[str]


class RowCounts:
    """How many rows the days of the tables have, or will have once a plan is carried out."""

    def __init__(self, stages: Iterable[Stage]):
        self._tables: dict[str, Table] = {name: table for stage in stages for name, table in stage.tables.items()}
        self._committed: dict[str, dict[date, int]] = {}
        self._planned: dict[tuple[str, date], Rows] = {}
        self._rows_per_byte: dict[str, float | None] = {}

    def of_landed(self, stage: Ingestion, day: date, reasons: Sequence[str]) -> tuple[Rows, FileChanges]:
        """Rows of a day of landed files that is made for these reasons, and the files that changed since it was made
        before.
        """
        found = {key: (digest, size) for key, digest, size in stage.inputs(day)}
        changes = FileChanges([], [], [])
        if CHANGED_INPUT not in reasons and NEW not in reasons:
            rows = self._of(stage.name, day)
        else:
            rows_held, held = {}, {}
            if NEW not in reasons:
                for entry in (
                    stage.tables[stage.feed.objects].read([day], ["key", "digest", "size", "rows"]).to_pylist()
                ):
                    held[entry["key"]] = (entry["digest"], entry["size"])
                    rows_held[entry["key"]] = entry["rows"] or 0
                rewritten = [key for key in found if key in held and held[key] != found[key]]
                changes = FileChanges(sorted(found.keys() - held.keys()), sorted(held.keys() - found.keys()), rewritten)
            same = [key for key in found if held.get(key) == found[key]]
            other = [size for key, (_, size) in found.items() if held.get(key) != found[key]]
            rows = Rows.total(
                [
                    Rows(sum(rows_held[key] for key in same), True),
                    *(self._estimate(stage.feed.objects, size) for size in other),
                ]
            )
        self._planned[stage.name, day] = rows
        return rows, changes

    def of_derived(self, stage: Stage, day: date, read: Sequence[tuple[str, date]]) -> Rows | None:
        """Rows that a stage works through to make a day: those of the day itself up to the features, then the rows of
        features that it reads.

        Args:
            stage: a stage behind the landed files.
            day: the day that is made.
            read: assets and days that it is made from.

        Returns:
            None for a stage that reads no rows of features.
        """
        if stage.name not in (*LANDED_TO_FEATURES, *LABEL_ASSETS):
            features = [self._of(asset, used) for asset, used in read if asset == FEATURES]
            return Rows.total(features) if features else None
        rows = Rows.total(self._of(asset, used) for asset, used in read if used == day)
        # What validation will keep out is not known before.
        self._planned[stage.name, day] = Rows(rows.count, False)
        return rows

    def _of(self, asset: str, day: date) -> Rows:
        if (asset, day) in self._planned:
            return self._planned[asset, day]
        if asset not in self._committed:
            self._committed[asset] = self._tables[asset].row_counts() if asset in self._tables else {}
        return Rows(self._committed[asset].get(day, 0), True)

    def _estimate(self, objects: str, size: int) -> Rows:
        if objects not in self._rows_per_byte:
            self._rows_per_byte[objects] = self._measured(self._tables[objects])
        per_byte = self._rows_per_byte[objects]
        return Rows(round(size * per_byte) if per_byte is not None else None, False)

    def _measured(self, table: Table) -> float | None:
        """Rows per byte of the newest days that were made of landed files; None when there are none."""
        objects = table.read(sorted(table.row_counts())[-MOST_DAYS_SAMPLED:], ["size", "rows"]).to_pylist()
        size = sum(entry["size"] for entry in objects if entry["rows"] is not None)
        return sum(entry["rows"] or 0 for entry in objects) / size if size else None
