"""What the check `files_read` says of a day: faults of landed files, and columns that came from nowhere."""

from collections.abc import Mapping, Sequence
from datetime import date

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec.checks import Severity

FILES_READ = "files_read"
DAYS_BEFORE = 7


def evaluate_files_read(
    day: date, files: Sequence[Mapping], before: Sequence[set[str]], severity: Severity
) -> CheckOutcome:
    """Whether every landed file of a day could be read whole, has rows, and no columns that were never seen.

    Args:
        day: the day.
        files: its landed objects, with key, fault and other_columns as in `LANDED_OBJECTS`; none when nothing landed,
            which is not judged here.
        before: the other columns of all files of each of the up to seven most recent earlier days that have files;
            without any, columns are not judged.
        severity: how grave a failure is.
    """
    if not files:
        return CheckOutcome(FILES_READ, day, None, "no files have landed", severity)
    known = set().union(*before)
    lines = []
    for file in files:
        new = [name for name in file["other_columns"] or [] if name not in known] if before else []
        if file["fault"] or new:
            lines.append({"file": file["key"], "fault": file["fault"] or "", "new_columns": ", ".join(new)})
    if not lines:
        unknown = "" if before else "; columns that the contract does not name are judged from the second day on"
        return CheckOutcome(FILES_READ, day, True, f"{len(files):,} files were read whole{unknown}", severity)
    lines.sort(key=lambda line: (not line["fault"], line["file"]))
    others = f" (and {len(lines) - 1} more of {len(files):,} files)" if len(lines) > 1 else ""
    return CheckOutcome(FILES_READ, day, False, f"{_in_words(lines[0])}{others}", severity, lines)


def other_columns(files: Sequence[Mapping]) -> set[str] | None:
    """The columns of all files of a day that the contract does not name; None when that is not known of any of them."""
    known = [file["other_columns"] for file in files if file["other_columns"] is not None]
    return set().union(*known) if known else None


def _in_words(line: Mapping[str, str]) -> str:
    said = [line["fault"], f"new columns {line['new_columns']}" if line["new_columns"] else ""]
    return f"{line['file']}: {'; '.join(text for text in said if text)}"
