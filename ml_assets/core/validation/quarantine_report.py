"""Counts of quarantined rows by day, file and reason."""

import pandas as pd
import pyarrow as pa

REPORT_COLUMNS = ["day", "scope", "file", "reason", "rows"]


def quarantine_report(entries: pa.Table) -> pd.DataFrame:
    """Count quarantine entries.

    Args:
        entries: table with columns day, scope, source_file and reasons of quarantined_data.

    Returns:
        Columns `REPORT_COLUMNS`, with one line for each day, scope, file and reason and its number of rows (a row with
        two reasons counts in both), ordered by day: whole days first, then files, then rows by descending count.
    """
    frame = entries.to_pandas().explode("reasons").rename(columns={"source_file": "file", "reasons": "reason"})
    if frame.empty:
        return pd.DataFrame(columns=REPORT_COLUMNS)
    counts = (
        frame.fillna({"file": ""})
        .groupby(["day", "scope", "file", "reason"], as_index=False)
        .size()
        .rename(columns={"size": "rows"})
    )
    order = counts["scope"].map({"day": 0, "file": 1, "row": 2})
    return (
        counts.assign(order=order)
        .sort_values(["day", "order", "rows", "reason"], ascending=[True, True, False, True])[REPORT_COLUMNS]
        .reset_index(drop=True)
    )
