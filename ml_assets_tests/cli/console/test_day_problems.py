"""Days that share a problem are one line, and a value that cannot be read is shown with the form of its type."""

import io
import json
from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest
from rich.console import Console

from ml_assets.cli.console.day_problems import group_problems, print_day_problems
from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec

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


def printed(spec: ModelSpec, *unreadable: tuple[str, str | None]) -> list[str]:
    """The lines of quarantined rows, each with a reason and the value that cannot be read."""
    rows = [
        {"reasons": [f"{column}: cannot be read"], "unreadable_values": json.dumps({column: value})}
        for column, value in unreadable
    ]
    entries = [(DAYS[0], "row", "a.csv", f"{column}: cannot be read", 1) for column, _ in unreadable]
    return printed_report(spec, report(*entries, (DAYS[0], "row", "a.csv", "amount: missing", 12)), rows)


def printed_report(spec: ModelSpec, entries: pd.DataFrame, rows: Sequence[dict] = ()) -> list[str]:
    """The lines of a report of quarantine entries, where `rows` are in quarantine."""
    stages = SimpleNamespace(
        label_validation=None,
        validation=SimpleNamespace(
            report=lambda days: entries,
            quarantined=SimpleNamespace(read=lambda days, columns: pa.Table.from_pylist(list(rows))),
        ),
    )
    return lines_of(spec, stages)


def lines_of(spec: ModelSpec, stages: SimpleNamespace) -> list[str]:
    """The printed lines."""
    output = io.StringIO()
    print_day_problems(Console(file=output, width=80), spec, stages, DAYS)  # type: ignore[arg-type]
    return output.getvalue().splitlines()


def test_rejected_label_files_are_shown_after_the_rows(make_spec):
    spec = make_spec(labels={"files": "chargebacks/{day}/*", "key": ["id"]})
    fault = "column missing: known_at; the file has id, label"
    entries = report((DAYS[1], "file", "b.csv", fault, 1), (DAYS[1], "row", "b.csv", "known_at: missing", 9))
    labels = SimpleNamespace(
        report=lambda days: entries,
        validated=SimpleNamespace(row_counts=dict),
        count_quarantined_rows=lambda days: 9,
    )
    nothing = SimpleNamespace(report=lambda days: report())
    stages = SimpleNamespace(validation=nothing, label_validation=labels)
    assert lines_of(spec, stages) == [
        "Labels        0 published, 9 quarantined",
        f"  {DAYS[1]} b.csv: {fault}",
        "        9 rows  known_at: missing",
    ]
    labels.report, labels.count_quarantined_rows = nothing.report, lambda days: 0
    assert lines_of(spec, stages) == [
        "Labels        none: no file of these days that matches chargebacks/{day}/* has rows"
    ]


def test_a_value_that_cannot_be_read_is_shown_with_the_form_of_its_type(make_spec):
    assert printed(make_spec(), ("label", "yes")) == [
        "       12 rows  amount: missing",
        "         1 row  label: cannot be read as integer, such as 'yes': integers are digits, such as 42 (true and "
        'false count as 1 and 0); for texts write label: {type: string, allowed: ["no", "yes"]} and positive: "yes"',
    ]


def test_a_word_for_a_missing_value_is_shown_with_the_field_that_declares_it(make_spec):
    assert printed(make_spec(), ("amount", "N/A"))[1] == (
        "         1 row  amount: cannot be read as number, such as 'N/A'; if it stands for a missing value, write "
        "csv: {null_values: ['N/A']} in source and amount: {nullable: true}"
    )


@pytest.mark.parametrize(
    ("decimal", "text", "form"),
    [
        (".", "3,4", 'if all numbers of the files have a comma, write csv: {decimal: ","} in source, otherwise'),
        (",", "0.567", "source.csv.decimal is a comma, for all columns; convert those with a point before they land"),
        (",", "1.234,5", "numbers have a decimal comma, such as 4,2, as source.csv.decimal says"),
        (".", "1,234.5", "numbers are written as 4.2, without a unit or thousands separators"),
    ],
)
def test_a_number_with_the_other_decimal_separator_is_shown_with_the_change_to_make(make_spec, decimal, text, form):
    dialect = {"delimiter": ";", "decimal": decimal}
    spec = make_spec(source={"files": "x/{day}/*", "start": "2025-01-01", "csv": dialect})
    (line,) = [line for line in printed(spec, ("amount", text)) if text in line]
    assert f"amount: cannot be read as number, such as '{text}': " in line
    assert form in line


def test_missing_values_of_a_rejected_day_are_shown_with_the_field_that_allows_them(make_spec):
    entries = [(DAYS[0], "row", "a.csv", f"{name}: missing", 12) for name in ("amount", "label")]
    allowed = "; if its values may be missing, write amount: {nullable: true}"
    for rejected, hint in ((True, allowed), (False, "")):
        days = [(DAYS[0], "day", "", bad(12), 1)] if rejected else []
        lines = printed_report(make_spec(), report(*days, *entries))
        assert lines[-2:] == [f"       12 rows  amount: missing{hint}", "       12 rows  label: missing"]


def test_a_row_key_that_does_not_identify_rows_is_shown_with_a_key_that_may(make_spec):
    days = (DAYS[0], "day", "", bad(12), 1)
    entries = report(days, (DAYS[0], "row", "a.csv", "row_key id: stands in rows that differ", 12))
    hint = "; row_key has to name the columns that together identify a row"
    spec = make_spec()
    assert printed_report(spec, entries)[-1].endswith(f"differ{hint}, such as row_key: [id, {spec.event_time}]")
    entries["reason"] = entries["reason"].replace("row_key id:", "row_key id, time:", regex=True)
    assert printed_report(make_spec(row_key=["id", spec.event_time]), entries)[-1].endswith(hint)


def test_a_noun_follows_its_number():
    assert [count(1, "day"), count(0, "row"), count(1200, "row")] == ["1 day", "0 rows", "1,200 rows"]
