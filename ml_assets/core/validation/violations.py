"""The table of violations: for each rule, the number of a day's rows that violate it and a sample of them."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.ingestion.file_reader import NOT_IN_FILE, WHOLE_LINE
from ml_assets.core.model_spec.file_feed import ROW_KEY, Contract
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW, UNREADABLE, VIOLATIONS_SCHEMA
from ml_assets.core.validation.contract import CANNOT_BE_READ, CONFLICTING, NO_ROW, REPEATED

KEY_RULES = (REPEATED, CONFLICTING)
MAX_SAMPLES, MAX_CHARACTERS = 5, 100


def count_violations(spec: Contract, raw: pa.Table, violations: pd.DataFrame, ends: Sequence[int]) -> list[pa.Table]:
    """Count and sample the rows of each day that violate each rule.

    Args:
        spec: the contract of the files.
        raw: rows of the days, one day after the other, with `raw_schema(spec)`.
        violations: a line for each row and rule, with the columns `row` (position in `raw`), `column`, `rule` and
            `severity`.
        ends: the position after the last row of each day.

    Returns:
        For each day a table with `VIOLATIONS_SCHEMA`, the rule with the most rows first. It does not depend on the
        order of the rows of a day, which are identified by file and row.
    """
    lines: list[list[dict]] = [[] for _ in ends]
    totals = np.diff(ends, prepend=0)
    numbers = np.searchsorted(ends, violations["row"].to_numpy(), side="right")
    for (number, column, rule, severity), rows in violations.groupby(
        [numbers, "column", "rule", "severity"], observed=True
    )["row"]:
        lines[number].append(
            {
                "column": ROW_KEY if rule in KEY_RULES else column,
                "rule": rule,
                "severity": severity,
                "rows": len(rows),
                "share": len(rows) / totals[number],
                "sample": json.dumps(_sample(spec, raw, str(column), str(rule), rows.to_numpy())),
            }
        )
    for of_day in lines:
        of_day.sort(key=lambda line: (-line["rows"], line["column"], line["rule"]))
    return [pa.Table.from_pylist(of_day, schema=VIOLATIONS_SCHEMA) for of_day in lines]


def _sample(spec: Contract, raw: pa.Table, column: str, rule: str, rows: np.ndarray) -> list[dict]:
    row_ids = raw.select([SOURCE_FILE, SOURCE_ROW]).take(pa.array(rows))
    first = pc.select_k_unstable(
        row_ids, k=MAX_SAMPLES, sort_keys=[(SOURCE_FILE, "ascending"), (SOURCE_ROW, "ascending")]
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


def _value(row: dict, names: list[str], column: str) -> str | None:
    """Return the values of `names` as text; without names, the original text of the unreadable value of `column`."""
    values = [row[name] for name in names]
    if not names:
        text = json.loads(row[UNREADABLE])[column]
        values = [None if text == NOT_IN_FILE else text]
    texts = [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values if value is not None]
    return ", ".join(texts)[:MAX_CHARACTERS] if texts else None
