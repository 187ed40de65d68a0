"""What a day's rows broke, counted by rule, with a few of the rows of each: the side table that the checks of columns
read.
"""

# pyarrow makes the functions of its compute module at run time, where no type checker sees them.
# pyright: reportAttributeAccessIssue=false

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.ingestion.file_reader import NOT_IN_FILE, WHOLE_LINE
from ml_assets.core.model_spec.file_feed import ROW_KEY, Contract
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW, UNREADABLE, VIOLATIONS_SCHEMA
from ml_assets.core.validation.contract import CANNOT_BE_READ, CONFLICTING, NO_ROW, REPEATED

KEY_RULES = (REPEATED, CONFLICTING)
MOST_SAMPLED, LONGEST_VALUE = 5, 100


def count_violations(spec: Contract, raw: pa.Table, broken: pd.DataFrame) -> pa.Table:
    """Count the rows that break each rule, and sample them.

    Args:
        spec: what the files have to hold.
        raw: rows of one day with `raw_schema(spec)`.
        broken: a line for each row and rule, with columns `row` (position in `raw`), `column`, `rule` and `severity`.

    Returns:
        Table with `BROKEN_RULES`, the rule that most rows broke first. It does not depend on the order of `raw`, whose
            rows are told by file and row.
    """
    lines = []
    for (column, rule, severity), rows in broken.groupby(["column", "rule", "severity"], observed=True)["row"]:
        lines.append(
            {
                "column": ROW_KEY if rule in KEY_RULES else column,
                "rule": rule,
                "severity": severity,
                "rows": len(rows),
                "share": len(rows) / raw.num_rows,
                "sample": json.dumps(_sample(spec, raw, str(column), str(rule), rows.to_numpy())),
            }
        )
    lines.sort(key=lambda line: (-line["rows"], line["column"], line["rule"]))
    return pa.Table.from_pylist(lines, schema=VIOLATIONS_SCHEMA)


def _sample(spec: Contract, raw: pa.Table, column: str, rule: str, rows: np.ndarray) -> list[dict]:
    places = raw.select([SOURCE_FILE, SOURCE_ROW]).take(pa.array(rows))
    first = pc.select_k_unstable(
        places, k=MOST_SAMPLED, sort_keys=[(SOURCE_FILE, "ascending"), (SOURCE_ROW, "ascending")]
    )
    names = spec.row_key if rule in KEY_RULES else [column] if rule not in (NO_ROW, CANNOT_BE_READ, NOT_IN_FILE) else []
    sampled = raw.select([*names, SOURCE_FILE, SOURCE_ROW, UNREADABLE]).take(pa.array(rows).take(first))
    return [
        {
            "file": row[SOURCE_FILE],
            "row": row[SOURCE_ROW],
            "value": _value(row, names, WHOLE_LINE if rule == NO_ROW else column),
        }
        for row in sampled.to_pylist()
    ]


def _value(row: dict, names: list[str], unread: str) -> str | None:
    """The values of `names` as text; without names, the text that stands for `unread` among the values that could not
    be read.
    """
    values = [row[name] for name in names]
    if not names:
        text = json.loads(row[UNREADABLE])[unread]
        values = [None if text == NOT_IN_FILE else text]
    texts = [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values if value is not None]
    return ", ".join(texts)[:LONGEST_VALUE] if texts else None
