"""What the daily report says of landed, accepted and quarantined rows."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.operations.reports.daily_report import Bars, Part, Table
from ml_assets.pipeline.steps.report_store import fingerprint_entry

if TYPE_CHECKING:
    from ml_assets.pipeline.validation.stage import Validation


DAYS_AT_ONCE = 25
DAYS_SHOWN = 28


MOST_FILES = 20
MOST_ROWS = 5


def validation_parts(stage: "Validation", days: Sequence[date]) -> Iterator[Part]:
    """Landed files with their faults, rows landed, accepted and quarantined, some of the rows, and the rows of the days
    before.
    """
    counts, entries = stage.validated.row_counts(), stage.quarantined.row_counts()
    for some in (days[begin : begin + DAYS_AT_ONCE] for begin in range(0, len(days), DAYS_AT_ONCE)):
        files: dict[date, list[dict]] = {day: [] for day in some}
        for file in stage.landed_objects(some):
            files[file.pop("day")].append(file)
        for day in some:
            landed = sum(file["rows"] or 0 for file in files[day])
            accepted = counts.get(day, 0)
            yield Part(
                stage.name,
                day,
                "published" if accepted or not entries.get(day) else "rejected" if files[day] else "missing",
                facts={
                    "rows_landed": landed,
                    "rows_accepted": accepted,
                    "rows_quarantined": landed - accepted,
                    "files": len(files[day]),
                },
                tables=[
                    *(
                        [Table("Landed files", sorted(files[day], key=lambda file: not file["fault"])[:MOST_FILES])]
                        if files[day]
                        else []
                    ),
                    *(_quarantined_rows(stage, day) if entries.get(day) else []),
                ],
                bars=[_rows_by_day(counts, day, stage.feed.source.start)],
                provenance=fingerprint_entry(stage.validated, day),
            )


def _quarantined_rows(stage: "Validation", day: date) -> list[Table]:
    import pyarrow.compute as pc

    entries = stage.quarantined.read([day], ["scope", "source_file", "source_row", "reasons", "row"])
    rows = [
        {
            "file": entry["source_file"],
            "row": entry["source_row"],
            "reasons": "; ".join(entry["reasons"]),
            "values": entry["row"],
        }
        for entry in entries.filter(pc.field("scope") == "row").slice(0, MOST_ROWS).to_pylist()
    ]
    return [Table("Some of the quarantined rows", rows)] if rows else []


def _rows_by_day(counts: dict[date, int], day: date, start: date) -> Bars:
    days = (day - timedelta(days=back) for back in range(DAYS_SHOWN, -1, -1))
    bars = {str(one): counts.get(one, 0) for one in days if one >= start}
    return Bars(f"Accepted rows of the day and of the {len(bars) - 1} days before", bars, str(day))
