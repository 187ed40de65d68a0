"""Quarantine is counted by day, file and reason."""

from datetime import date

import pyarrow as pa

from ml_assets.core.validation.quarantine_report import quarantine_report

DAY = date(2025, 1, 1)
SCHEMA = pa.schema(
    [("day", pa.date32()), ("scope", pa.string()), ("source_file", pa.string()), ("reasons", pa.list_(pa.string()))]
)


def entry(scope: str, file: str | None, *reasons: str) -> dict:
    return {"day": DAY, "scope": scope, "source_file": file, "reasons": list(reasons)}


def test_a_row_with_two_reasons_counts_in_both_and_days_come_first():
    entries = [
        entry("row", "a", "x", "y"),
        entry("row", "a", "x"),
        entry("file", "b", "torn"),
        entry("day", None, "too many"),
    ]
    report = quarantine_report(pa.Table.from_pylist(entries, SCHEMA))
    assert report.drop(columns="day").to_numpy().tolist() == [
        ["day", "", "too many", 1],
        ["file", "b", "torn", 1],
        ["row", "a", "x", 2],
        ["row", "a", "y", 1],
    ]


def test_an_empty_quarantine_gives_an_empty_report():
    assert quarantine_report(SCHEMA.empty_table()).empty
