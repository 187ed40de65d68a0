"""Days that share a problem are one line, and a value that cannot be read is shown with the form of its type."""

import io
import json
from datetime import date
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
from rich.console import Console

from ml_assets.cli.console.day_problems import group_problems, print_day_problems
from ml_assets.core.counts import count

DAYS = [date(2025, 1, number) for number in range(1, 5)]
COLUMNS = ["day", "scope", "file", "reason", "rows"]


def bad(rows: int) -> str:
    return f"{rows} of {rows} rows (100.0%) are bad, more than quality.max_bad_share 10.0%"


def report(*entries: tuple) -> pd.DataFrame:
    return pd.DataFrame([*entries], columns=COLUMNS)


def test_consecutive_days_whose_problems_differ_in_numbers_only_are_one():
    grouped = group_problems(
        report(
            (DAYS[0], "day", "", bad(1200), 1),
            (DAYS[1], "day", "", bad(90), 1),
            (DAYS[3], "day", "", bad(7), 1),
            (DAYS[1], "file", "a.csv", "column missing: amount", 1),
            (DAYS[1], "row", "a.csv", "amount: missing", 90),
        )
    )
    assert [(list(problem.days), problem.reason, problem.file) for problem in grouped] == [
        (DAYS[:2], bad(90), ""),
        ([DAYS[1]], "column missing: amount", "a.csv"),
        ([DAYS[3]], bad(7), ""),
    ]


def test_a_file_that_cannot_be_read_is_named_once_with_its_reason():
    entries = [(day, "day", "", f"cannot be read: x/{day}/a.csv", 1) for day in DAYS[:2]]
    entries += [(day, "file", f"x/{day}/a.csv", "cannot be read (9 bytes): none of the columns", 1) for day in DAYS[:2]]
    assert [(problem.file, problem.reason) for problem in group_problems(report(*entries))] == [
        (f"x/{DAYS[1]}/a.csv", "cannot be read (9 bytes): none of the columns")
    ]
    only_days = group_problems(report(*entries[:2]))
    assert [problem.reason for problem in only_days] == [f"cannot be read: x/{DAYS[1]}/a.csv"]


def test_a_value_that_cannot_be_read_is_shown_with_the_form_of_its_type(make_spec):
    unreadable = [
        {"reasons": ["label: cannot be read"], "unreadable_values": json.dumps({"label": "yes"})},
        {"reasons": ["amount: missing"], "unreadable_values": None},
    ]
    stages = SimpleNamespace(
        validation=SimpleNamespace(
            report=lambda days: report(
                (DAYS[0], "row", "a.csv", "label: cannot be read", 1), (DAYS[0], "row", "a.csv", "amount: missing", 12)
            ),
            quarantined=SimpleNamespace(read=lambda days, columns: pa.Table.from_pylist(unreadable)),
        )
    )
    output = io.StringIO()
    print_day_problems(Console(file=output, width=80), make_spec(), stages, DAYS)  # type: ignore[arg-type]
    assert output.getvalue().splitlines() == [
        "       12 rows  amount: missing",
        "         1 row  label: cannot be read as integer, such as 'yes': integers are digits, such as 42 (true and "
        'false count as 1 and 0); for texts write label: {type: string, allowed: ["no", "yes"]} and positive: "yes"',
    ]


def test_a_noun_follows_its_number():
    assert [count(1, "day"), count(0, "row"), count(1200, "row")] == ["1 day", "0 rows", "1,200 rows"]
