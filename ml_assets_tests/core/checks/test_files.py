"""Faults of files and columns that were never seen are told, file by file."""

from datetime import date

from ml_assets.core.checks.files import evaluate_files_read, other_columns

DAY = date(2025, 1, 8)


def file(key: str = "a.csv", fault: str | None = None, other: list[str] | None = ()) -> dict:
    return {"key": key, "fault": fault, "other_columns": other}


def test_whole_files_with_known_columns_pass():
    assert evaluate_files_read(DAY, [file(other=["note"])], [{"note"}, set()], "warn").passed


def test_a_file_with_a_fault_fails_and_is_named():
    found = evaluate_files_read(DAY, [file(), file("b.csv", "has no rows")], [], "error")
    assert (found.failed, found.severity, found.reason) == (True, "error", "b.csv: has no rows")
    assert list(found.lines) == [{"file": "b.csv", "fault": "has no rows", "new_columns": ""}]


def test_a_column_that_no_file_of_the_days_before_has_fails():
    found = evaluate_files_read(
        DAY,
        [file("a.csv", None, ["discount", "note"]), file("b.csv", "cannot be read", None)],
        [{"note"}, set()],
        "warn",
    )
    assert found.failed
    assert [(line["file"], line["fault"], line["new_columns"]) for line in found.lines] == [
        ("b.csv", "cannot be read", ""),
        ("a.csv", "", "discount"),
    ]
    assert found.reason == "b.csv: cannot be read (and 1 more of 2 files)"


def test_on_the_first_days_columns_are_not_judged():
    found = evaluate_files_read(DAY, [file(other=["note"])], [], "warn")
    assert found.passed
    assert "from the second day on" in found.reason


def test_a_day_without_files_is_not_judged():
    assert evaluate_files_read(DAY, [], [set()], "warn").passed is None


def test_the_columns_of_a_day_are_those_of_all_files_that_could_be_read():
    assert other_columns([file(other=["a"]), file(other=None), file(other=["b"])]) == {"a", "b"}
    assert other_columns([file(other=None)]) is None
