"""Row counts of the days of a plan: taken from the lake if nothing changed, else estimated from file sizes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from ml_assets.core.tables.fingerprint import CHANGED_INPUT, NEW
from ml_assets.pipeline.asset_names import FEATURES, LABEL_ASSETS, LANDED_TO_FEATURES
from ml_assets.pipeline.engine.stage import Stage
from ml_assets.pipeline.ingestion.stage import Ingestion
from ml_assets.resources.lake.table import Table

MAX_SAMPLED_DAYS = 30


@dataclass(frozen=True)
class Rows:
    """A number of rows; `count` is None if it is unknown, `exact` is false if it is an estimate."""

    count: int | None
    exact: bool

    @classmethod
    def total(cls, parts: Iterable["Rows"]) -> "Rows":
        """Add row counts; the sum is unknown if one of them is."""
        addends = list(parts)
        counts = [rows.count for rows in addends if rows.count is not None]
        return cls(sum(counts) if len(counts) == len(addends) else None, all(rows.exact for rows in addends))


@dataclass(frozen=True)
class FileChanges:
    """Keys of the landed files of a day that have changed since the day was computed."""

    new: list[str]
    removed: list[str]
    rewritten: list[str]


class RowCounts:
    """The number of rows that days have in the lake, or will have once a plan is carried out."""

    def __init__(self, stages: Iterable[Stage]):
        self._tables: dict[str, Table] = {name: table for stage in stages for name, table in stage.tables.items()}
        self._committed: dict[str, dict[date, int]] = {}
        self._planned: dict[tuple[str, date], Rows] = {}
        self._rows_per_byte: dict[str, float | None] = {}

    def estimate_landed(self, stage: Ingestion, day: date, reasons: Sequence[str]) -> tuple[Rows, FileChanges]:
        """Estimate the rows of a day of landed files that is computed for these reasons.

        Returns:
            The rows, and the files that have changed since the day was last made.
        """
        landed = {key: (digest, size) for key, digest, size in stage.inputs(day)}
        changes = FileChanges([], [], [])
        if CHANGED_INPUT not in reasons and NEW not in reasons:
            rows = self._rows_of(stage.name, day)
        else:
            committed_rows, committed = {}, {}
            if NEW not in reasons:
                for entry in (
                    stage.tables[stage.feed.objects].read([day], ["key", "digest", "size", "rows"]).to_pylist()
                ):
                    committed[entry["key"]] = (entry["digest"], entry["size"])
                    committed_rows[entry["key"]] = entry["rows"] or 0
                changes = FileChanges(
                    new=sorted(landed.keys() - committed.keys()),
                    removed=sorted(committed.keys() - landed.keys()),
                    rewritten=[key for key in landed if key in committed and committed[key] != landed[key]],
                )
            unchanged = [key for key in landed if committed.get(key) == landed[key]]
            changed_sizes = [size for key, (_, size) in landed.items() if committed.get(key) != landed[key]]
            rows = Rows.total(
                [
                    Rows(sum(committed_rows[key] for key in unchanged), True),
                    *(self._estimate(stage.feed.objects, size) for size in changed_sizes),
                ]
            )
        self._planned[stage.name, day] = rows
        return rows, changes

    def estimate_derived(self, stage: Stage, day: date, read: Sequence[tuple[str, date]]) -> Rows | None:
        """Estimate the rows that a stage processes to compute a day.

        Up to the features these are the rows of the day itself, after that the rows of features that the stage reads.

        Args:
            stage: a stage after ingestion.
            day: the day that is computed.
            read: assets and days that it reads.

        Returns:
            The rows; None for a stage that reads no rows of features.
        """
        if stage.name not in (*LANDED_TO_FEATURES, *LABEL_ASSETS):
            features = [self._rows_of(asset, input_day) for asset, input_day in read if asset == FEATURES]
            return Rows.total(features) if features else None
        rows = Rows.total(self._rows_of(asset, input_day) for asset, input_day in read if input_day == day)
        # How many rows validation will quarantine is not known beforehand.
        self._planned[stage.name, day] = Rows(rows.count, False)
        return rows

    def _rows_of(self, asset: str, day: date) -> Rows:
        if (asset, day) in self._planned:
            return self._planned[asset, day]
        if asset not in self._committed:
            self._committed[asset] = self._tables[asset].row_counts() if asset in self._tables else {}
        return Rows(self._committed[asset].get(day, 0), True)

    def _estimate(self, objects: str, size: int) -> Rows:
        if objects not in self._rows_per_byte:
            self._rows_per_byte[objects] = self._measure_rows_per_byte(self._tables[objects])
        per_byte = self._rows_per_byte[objects]
        return Rows(round(size * per_byte) if per_byte is not None else None, False)

    def _measure_rows_per_byte(self, table: Table) -> float | None:
        """Return the rows per byte of the newest days in the lake; None if there are none."""
        objects = table.read(sorted(table.row_counts())[-MAX_SAMPLED_DAYS:], ["size", "rows"]).to_pylist()
        size = sum(entry["size"] for entry in objects if entry["rows"] is not None)
        return sum(entry["rows"] or 0 for entry in objects) / size if size else None
