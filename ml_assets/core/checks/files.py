"""The check `files_read`: errors in landed files, and columns that no earlier file had."""

from collections.abc import Mapping, Sequence
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.counts import count
from ml_assets.core.model_spec.checks.check import Severity

FILES_READ = "files_read"
DAYS_BEFORE = 7


def evaluate_files_read(
    day: date, files: Sequence[Mapping], earlier_columns: Sequence[set[str]], severity: Severity
) -> CheckOutcome:
    """Check that every landed file of a day was read completely, has rows, and has no new columns.

    Args:
        day: the day.
        files: landed objects of the day, with key, fault and other_columns as in `LANDED_OBJECTS_SCHEMA`; if there are
            none, the day is not evaluated.
        earlier_columns: for each of the up to seven most recent earlier days with files, the columns of its files that
            the contract does not name; if there are none, new columns are not checked.
        severity: severity of a failure.
    """
    if not files:
        return CheckOutcome(FILES_READ, day, None, "no files have landed", severity)
    known = set().union(*earlier_columns)
    lines = []
    for file in files:
        new = [name for name in file["other_columns"] or [] if name not in known] if earlier_columns else []
        if file["fault"] or new:
            lines.append({"file": file["key"], "fault": file["fault"] or "", "new_columns": ", ".join(new)})
    if not lines:
        note = "" if earlier_columns else "; columns that the contract does not name are checked from the second day on"
        return CheckOutcome(FILES_READ, day, True, f"{count(len(files), 'file')} read completely{note}", severity)
    lines.sort(key=lambda line: (not line["fault"], line["file"]))
    others = f" (and {len(lines) - 1} more of {len(files):,} files)" if len(lines) > 1 else ""
    return CheckOutcome(FILES_READ, day, False, f"{_describe(lines[0])}{others}", severity, lines)


def list_other_columns(files: Sequence[Mapping]) -> set[str] | None:
    """List the columns in the files of a day that the contract does not name; None if no file could be read."""
    known = [file["other_columns"] for file in files if file["other_columns"] is not None]
    return set().union(*known) if known else None


def _describe(line: Mapping[str, str]) -> str:
    problems = [line["fault"], f"new columns {line['new_columns']}" if line["new_columns"] else ""]
    return f"{line['file']}: {'; '.join(problem for problem in problems if problem)}"
