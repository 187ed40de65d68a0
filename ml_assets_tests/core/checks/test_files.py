"""Landed files with errors or new columns fail the check, file by file."""

from datetime import date

from ml_assets.core.checks.files import evaluate_files_read, list_other_columns

DAY = date(2025, 1, 8)


def file(key: str = "a.csv", fault: str | None = None, other: list[str] | None = ()) -> dict:
    return {"key": key, "fault": fault, "other_columns": other}


def test_complete_files_with_known_columns_pass():
    assert evaluate_files_read(DAY, [file(other=["note"])], [{"note"}, set()], "warn").passed


def test_a_file_with_an_error_fails_and_is_named():
    outcome = evaluate_files_read(DAY, [file(), file("b.csv", "has no rows")], [], "error")
    assert (outcome.failed, outcome.severity, outcome.reason) == (True, "error", "b.csv: has no rows")
    assert list(outcome.lines) == [{"file": "b.csv", "fault": "has no rows", "new_columns": ""}]


def test_a_column_that_no_earlier_file_has_fails():
    outcome = evaluate_files_read(
        DAY,
        [file("a.csv", None, ["discount", "note"]), file("b.csv", "cannot be read", None)],
        [{"note"}, set()],
        "warn",
    )
    assert outcome.failed
    assert [(line["file"], line["fault"], line["new_columns"]) for line in outcome.lines] == [
        ("b.csv", "cannot be read", ""),
        ("a.csv", "", "discount"),
    ]
    assert outcome.reason == "b.csv: cannot be read (and 1 more of 2 files)"


def test_new_columns_are_not_checked_on_the_first_day():
    outcome = evaluate_files_read(DAY, [file(other=["note"])], [], "warn")
    assert outcome.passed
    assert "from the second day on" in outcome.reason


def test_a_day_without_files_is_not_evaluated():
    assert evaluate_files_read(DAY, [], [set()], "warn").passed is None


def test_other_columns_are_collected_from_all_readable_files():
    assert list_other_columns([file(other=["a"]), file(other=None), file(other=["b"])]) == {"a", "b"}
    assert list_other_columns([file(other=None)]) is None
