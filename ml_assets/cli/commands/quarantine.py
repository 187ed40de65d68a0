"""Export of quarantined rows as CSV: source file and row, violations, and the values as they landed."""

import shlex
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import IO

from ml_assets.cli.command_inputs import open_model_stages, require_settings, require_spec
from ml_assets.cli.json_output.reports import QuarantineReport
from ml_assets.cli.verb import publish
from ml_assets.core.counts import count
from ml_assets.core.tables.day_ranges import parse_days
from ml_assets.pipeline.graph.stages import Stages
from ml_assets.resources.lake.errors import LakeError


def export_quarantine(model: str | None = None, days: str | None = None, out: Path | None = None) -> None:
    """Write the quarantined rows to a file, or to standard output, and their number to standard error.

    Args:
        model: name of the model.
        days: a range such as `2026-08-15...2026-09-01`, or one day; None for all days.
        out: the CSV file; None for standard output.

    Raises:
        SystemExit: with a message, when there is no such model, the days are not valid, or the lake does not fit the
            specification.
    """
    spec, settings = require_spec(model), require_settings()
    try:
        first, last = parse_days(days) if days else (date.min, date.max)
        stages = open_model_stages(spec, settings)
    except (ValueError, LakeError) as error:
        sys.exit(str(error))
    selected = [day for day in sorted(stages.validation.quarantined.row_counts()) if first <= day <= last]
    rows_by_day = (
        write_quarantine(stages, selected, sys.stdout.buffer) if out is None else _write_file(stages, selected, out)
    )
    rows = sum(rows_by_day.values())
    others = 0 if rows else stages.validation.count_quarantined_rows(selected)
    print(_describe_export(spec.name, rows, others, out), file=sys.stderr)
    if labels := _describe_labels(stages, first, last):
        print(labels, file=sys.stderr)
    if out is not None:
        publish(QuarantineReport(model=spec.name, rows=rows, days=len(rows_by_day), file=str(out)))


def _describe_export(model: str, rows: int, others: int, out: Path | None) -> str:
    if others:
        return (
            f"{model}: {count(others, 'row')} of these days in quarantine, none of which can be corrected: they "
            "repeat other rows, or wait for the other rows of their day"
        )
    if not rows:
        return f"{model}: no rows of these days are in quarantine"
    file = shlex.quote(str(out)) if out else "FILE"
    return f"{count(rows, 'row')} to correct{f' in {out}' if out else ''}; then: ml-assets repair {model} --file {file}"


def _describe_labels(stages: Stages, first: date, last: date) -> str:
    """Describe the labels in quarantine; empty without any."""
    if (validation := stages.label_validation) is None:
        return ""
    days = [day for day in sorted(validation.quarantined.row_counts()) if first <= day <= last]
    labels = validation.count_quarantined_rows(days)
    files = validation.feed.source.files
    return f"{count(labels, 'label')} in quarantine: deliver the files {files} again, corrected" if labels else ""


def _write_file(stages: Stages, days: Sequence[date], out: Path) -> dict[date, int]:
    # The file appears complete or not at all.
    unfinished = out.with_name(f".{out.name}.unfinished")
    try:
        file = unfinished.open("wb")
    except OSError as error:
        sys.exit(f"{out} cannot be written: {error.strerror}")
    try:
        with file:
            rows_by_day = write_quarantine(stages, days, file)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    return rows_by_day


def write_quarantine(stages: Stages, days: Sequence[date], out: IO[bytes]) -> dict[date, int]:
    """Write the quarantined rows of some days as CSV, one day in memory at a time.

    Every value except a missing one is quoted, so that text is read back unchanged.

    Returns:
        The number of rows of each day that has some to correct: a repeated row, or a day without files, has none.
    """
    import pyarrow.csv as pa_csv

    from ml_assets.core.validation.quarantine_export import export_schema, rows_to_correct

    validation = stages.validation
    rows_by_day: dict[date, int] = {}
    schema = export_schema(validation.feed)
    with pa_csv.CSVWriter(out, schema, write_options=pa_csv.WriteOptions(quoting_style="all_valid")) as writer:
        for day in days:
            entries = validation.quarantined.read([day], ["scope", "reasons", "source_file", "source_row"])
            table = rows_to_correct(validation.feed, day, validation.read_corrected_rows(day).rows, entries)
            writer.write_table(table)
            if table.num_rows:
                rows_by_day[day] = table.num_rows
    return rows_by_day
