"""Rows of a table as JSON text, column by column instead of row by row."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

import json

import pyarrow as pa
import pyarrow.compute as pc


def rows_as_json(table: pa.Table) -> pa.Array:
    """Return one JSON object for each row, with members in the order of the columns.

    Args:
        table: columns of 64-bit integers, float64, booleans, text, or microseconds UTC.

    Returns:
        Text. Numbers have full precision, times are ISO 8601 with microseconds and Z; missing values, NaN and
            infinities are null.
    """
    parts: list[pa.Array | pa.Scalar] = []
    for position, name in enumerate(table.column_names):
        parts += [pa.scalar(f"{',' if position else '{'}{json.dumps(name)}:"), _as_json(table[name].combine_chunks())]
    return pc.binary_join_element_wise(*parts, pa.scalar("}"), "")


def _as_json(values: pa.Array) -> pa.Array:
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_finite(values), values, None)
    if pa.types.is_string(values.type):
        distinct = values.dictionary_encode()
        texts = pa.array([json.dumps(text) for text in distinct.dictionary.to_pylist()], pa.string()).take(
            distinct.indices
        )
    elif pa.types.is_timestamp(values.type):
        texts = pc.strftime(values, format='"%Y-%m-%dT%H:%M:%SZ"')
    else:
        texts = values.cast(pa.string())
    return texts.fill_null("null")
