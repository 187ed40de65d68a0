"""Landed, accepted and quarantined rows in the daily report."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_assets.core.operations.reports.daily_report import Bars, Part, Table
from ml_assets.pipeline.steps.report_store import fingerprint_entry

if TYPE_CHECKING:
    from ml_assets.core.validation.label_match import LabelMatch
    from ml_assets.pipeline.validation.stage import Validation

# Days whose landed files are read together.
DAYS_AT_ONCE = 25
# Days before the report's own day in its bar chart.
DAYS_BEFORE = 28
MAX_FILES = 20
MAX_ROWS = 5


def validation_parts(stage: "Validation", days: Sequence[date]) -> Iterator[Part]:
    """Report the landed files of each day, the numbers of rows landed, accepted and quarantined, some of the
    quarantined rows, and the numbers of rows of the days before.
    """
    matches = stage.matching.match(days) if stage.matching else {}
    counts = stage.validated.row_counts()
    entries = stage.quarantined.row_counts()
    for chunk in (days[begin : begin + DAYS_AT_ONCE] for begin in range(0, len(days), DAYS_AT_ONCE)):
        files: dict[date, list[dict]] = {day: [] for day in chunk}
        for file in stage.landed_objects(chunk):
            files[file.pop("day")].append(file)
        for day in chunk:
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
                    **({"labels_without_row": matches[day].without_row} if day in matches else {}),
                },
                tables=[
                    *(
                        [Table("Landed files", sorted(files[day], key=lambda file: not file["fault"])[:MAX_FILES])]
                        if files[day]
                        else []
                    ),
                    *(_quarantined_rows(stage, day) if entries.get(day) else []),
                    *_labels_without_row(matches.get(day)),
                ],
                bars=[_rows_by_day(counts, day, stage.feed.source.start)],
                provenance=fingerprint_entry(stage.validated, day),
            )


def _labels_without_row(match: "LabelMatch | None") -> list[Table]:
    return [Table("Labels that belong to no row", match.examples)] if match and match.examples else []


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
        for entry in entries.filter(pc.field("scope") == "row").slice(0, MAX_ROWS).to_pylist()
    ]
    return [Table("Some of the quarantined rows", rows)] if rows else []


def _rows_by_day(counts: dict[date, int], day: date, start: date) -> Bars:
    days = (day - timedelta(days=back) for back in range(DAYS_BEFORE, -1, -1))
    bars = {str(shown_day): counts.get(shown_day, 0) for shown_day in days if shown_day >= start}
    return Bars(f"Accepted rows of the day and of the {len(bars) - 1} days before", bars, str(day))
