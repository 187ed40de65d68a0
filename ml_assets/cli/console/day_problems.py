"""Problems of days, files and rows; consecutive days with the same problem share a line."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed
from ml_assets.core.model_spec.source import Column
from ml_assets.core.tables.day_ranges import group_days

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.pipeline.graph.stages import Stages
    from ml_assets.pipeline.validation.stage import Validation

MOST_PROBLEMS = 12
DAY_UNREADABLE = "cannot be read: "
FORMS = {
    "integer": "integers are digits, such as 42 (true and false count as 1 and 0)",
    "boolean": "booleans are true, false, 1 or 0",
    "timestamp": "timestamps are written as in ISO 8601, such as 2026-11-28T13:05:00; convert others before they land",
}
"""How the values of a type are written in text."""
NULL_WORDS = {"-", "--", "?", "n/a", "na", "nan", "nil", "none", "null", "\\n", "#n/a", "missing", "unknown"}
"""Texts that often stand for a missing value, in lower case."""


@dataclass(frozen=True)
class DayProblem:
    """A problem of consecutive days.

    days: ascending. reason: the reason of the last day. file: the file of the last day; empty if no file is at fault.
    """

    days: Sequence[date]
    reason: str
    file: str


def group_problems(report: "pd.DataFrame") -> list[DayProblem]:
    """Group the problems of days and files: consecutive days whose problems differ only in numbers become one.

    Args:
        report: counts of quarantine entries, see `Validation.report`.
    """
    problems = report[report["scope"] != "row"]
    # An unreadable day has an entry for the day and one for each file; only those of the files state the reason.
    of_files = set(problems.loc[problems["scope"] == "file", "day"])
    repeated = problems["reason"].str.startswith(DAY_UNREADABLE) & problems["day"].isin(of_files)
    problems = problems[~(repeated & (problems["scope"] == "day"))]
    by_kind: dict[str, dict[date, tuple[str, str]]] = {}
    for entry in problems.itertuples():
        kind = re.sub(r"\d[\d,.]*", "#", str(entry.reason))
        by_kind.setdefault(kind, {})[entry.day] = (str(entry.reason), str(entry.file))  # type: ignore[index]
    grouped = []
    for texts in by_kind.values():
        for group in group_days((day, None) for day in sorted(texts)):
            reason, file = texts[group.days[-1]]
            grouped.append(DayProblem(group.days, reason, file))
    return sorted(grouped, key=lambda problem: problem.days[0])


def print_day_problems(console: Console, spec: ModelSpec, stages: "Stages", days: Sequence[date]) -> None:
    """Print the problems of days and files, then the reasons of quarantined rows with an example of a value; then the
    same of the label files, if the model has them.

    Args:
        console: the console to print to.
        spec: the model's specification.
        stages: the stages of the model.
        days: the days.
    """
    _print_problems(console, spec, spec.columns, stages.validation, days)
    feed, labels = labels_feed(spec), stages.label_validation
    if feed is None or labels is None:
        return
    published = sum(labels.validated.row_counts().get(day, 0) for day in days)
    quarantined = labels.count_quarantined_rows(days)
    counted = f"{published:,} published, {quarantined:,} quarantined"
    none = f"none: no file of these days that matches {escape(feed.source.files)} has rows"
    console.print(f"Labels        {counted if published or quarantined else none}", soft_wrap=True, highlight=False)
    _print_problems(console, spec, feed.columns, labels, days)


def _print_problems(
    console: Console, spec: ModelSpec, columns: Mapping[str, Column], validation: "Validation", days: Sequence[date]
) -> None:
    report = validation.report(days)
    problems = group_problems(report)
    for problem in problems[:MOST_PROBLEMS]:
        file = f" {escape(problem.file)}:" if problem.file else ""
        reason = problem.reason
        if len(problem.days) > 1:
            file = file and f" the last is{file}"
            reason = reason.replace(f" for {problem.days[-1]}", "")
            reason = f"the last: {reason}" if not file and re.search(r"\d", reason) else reason
        console.print(f"  [yellow]{_range(problem.days)}[/]{file} {escape(reason)}", soft_wrap=True, highlight=False)
    if len(problems) > MOST_PROBLEMS:
        console.print(f"  ... and {count(len(problems) - MOST_PROBLEMS, 'more problem')} of files and days")
    of_rows = report[report["scope"] == "row"]
    by_reason = of_rows.groupby("reason")["rows"].sum().sort_values(ascending=False)
    for reason, rows in list(by_reason.items())[:MOST_PROBLEMS]:
        day = of_rows.loc[of_rows["reason"] == reason, "day"].iloc[-1]
        example = _example(spec, columns, validation, day, str(reason))
        example = escape(example or (_change(spec, str(reason)) if problems else ""))
        console.print(f"  {count(rows, 'row'):>12}  {escape(str(reason))}{example}", soft_wrap=True, highlight=False)


def _example(spec: ModelSpec, columns: Mapping[str, Column], validation: "Validation", day: date, reason: str) -> str:
    """Describe a value that cannot be read, and how the type of its column is written; empty for other reasons."""
    from ml_assets.core.validation.contract import CANNOT_BE_READ

    name = reason.removesuffix(f": {CANNOT_BE_READ}")
    if name == reason or name not in columns:
        return ""
    column = columns[name]
    rows = validation.quarantined.read([day], ["reasons", "unreadable_values"]).to_pylist()
    values = [_unreadable(row).get(name) for row in rows if reason in (row["reasons"] or ())]
    example = f" as {column.type}"
    if text := next((value for value in values if value is not None), None):
        example += f", such as {text!r}"
    if text and str(text).strip().lower() in NULL_WORDS:
        nullable = "" if column.nullable else f" and {name}: {{nullable: true}}"
        return (
            f"{example}; if it stands for a missing value, write csv: {{null_values: [{text!r}]}} in source{nullable}"
        )
    if column.type in FORMS:
        example += f": {FORMS[column.type]}"
    if column.type == "number":
        example += f": {_number_form(spec.source.csv.decimal, str(text))}"
    if name == spec.target and column.type in ("boolean", "integer"):
        example += f'; for texts write {name}: {{type: string, allowed: ["no", "yes"]}} and positive: "yes"'
    return example


def _number_form(decimal: str, text: str) -> str:
    """Describe how numbers are written, and the change to make where a value has the other decimal separator.

    Args:
        decimal: the separator of the dialect.
        text: the value.
    """
    if decimal == "," and re.fullmatch(r"[+-]?\d+\.\d+", text):
        return "source.csv.decimal is a comma, for all columns; convert those with a point before they land"
    if decimal == ",":
        return "numbers have a decimal comma, such as 4,2, as source.csv.decimal says"
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        return (
            "numbers have a decimal point, such as 4.2; if all numbers of the files have a comma, write "
            'csv: {decimal: ","} in source, otherwise convert this column before it lands'
        )
    return "numbers are written as 4.2, without a unit or thousands separators"


def _change(spec: ModelSpec, reason: str) -> str:
    """Describe the field to change where a reason applies to most rows of a day; empty for other reasons."""
    from ml_assets.core.validation.contract import CONFLICTING, MISSING

    if reason.startswith("row_key ") and reason.endswith(f": {CONFLICTING}"):
        key = [*spec.row_key, spec.event_time]
        example = f", such as row_key: [{', '.join(key)}]" if spec.event_time not in spec.row_key else ""
        return f"; row_key has to name the columns that together identify a row{example}"
    name = reason.removesuffix(f": {MISSING}")
    if name == reason or name not in spec.columns or name in (*spec.row_key, spec.event_time, spec.target):
        return ""
    return f"; if its values may be missing, write {name}: {{nullable: true}}"


def _unreadable(row: Mapping) -> Mapping[str, object]:
    return json.loads(row["unreadable_values"] or "{}")


def _range(days: Sequence[date]) -> str:
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}, {count(len(days), 'day')}:"
