"""What is in quarantine, counted: by day, file and broken rule."""

import pandas as pd
import pyarrow as pa

REPORT_COLUMNS = ["day", "scope", "file", "reason", "rows"]


def quarantine_report(entries: pa.Table) -> pd.DataFrame:
    """Count quarantine entries.

    Args:
        entries: table with columns day, scope, source_file and reasons of quarantined_data.

    Returns:
        One line for each day, scope, file and reason, with the number of rows that have it (a row with two reasons
            counts in both); whole
        days first, then files, then rows by falling count. Columns `REPORT_COLUMNS`.
    """
    frame = entries.to_pandas().explode("reasons").rename(columns={"source_file": "file", "reasons": "reason"})
    if frame.empty:
        return pd.DataFrame(columns=REPORT_COLUMNS)
    counted = (
        frame.fillna({"file": ""})
        .groupby(["day", "scope", "file", "reason"], as_index=False)
        .size()
        .rename(columns={"size": "rows"})
    )
    order = counted["scope"].map({"day": 0, "file": 1, "row": 2})
    return (
        counted.assign(order=order)
        .sort_values(["day", "order", "rows", "reason"], ascending=[True, True, False, True])[REPORT_COLUMNS]
        .reset_index(drop=True)
    )
