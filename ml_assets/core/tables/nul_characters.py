"""Text with NUL characters, which the hash tables of pandas do not keep apart.

They compare text as C strings, so `pd.factorize`, `groupby`, `nunique` and `pd.MultiIndex` take "a\\x00b" and "a\\x00c"
for one value, and "\\x00a" for the empty text.
"""

import numpy as np
import pandas as pd
import pyarrow as pa


def escape_nul(values: pd.Series) -> pd.Series:
    """Replace text with NUL characters by text without them, so that different values stay different.

    Equal values stay equal, also of different columns. The character that begins an escape is escaped too; all other
    values stay, and so do those of a categorical column, which is numbered already.
    """
    if values.dtype != object and not isinstance(values.dtype, pd.StringDtype):
        return values
    if not _may_need_escapes(values):
        return values
    escaped = [
        value.replace("\x01", "\x01\x01").replace("\0", "\x01\x02") if isinstance(value, str) else value
        for value in values
    ]
    return pd.Series(escaped, index=values.index, dtype=values.dtype, name=values.name)


def _may_need_escapes(values: pd.Series) -> bool:
    """Return whether text of a column may have a character that is escaped."""
    try:
        texts = pa.array(values, pa.large_string(), from_pandas=True)
    except (pa.ArrowException, UnicodeError):
        # Not all values are text, or valid text.
        return True
    chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
    # Both are smaller than all other bytes of UTF-8.
    return any(np.frombuffer(data, np.uint8).min(initial=255) <= 1 for chunk in chunks if (data := chunk.buffers()[2]))


def factorize(values: pd.Series, sort: bool = False) -> tuple[np.ndarray, pd.Index]:
    """Return `pd.factorize` of a column with all of its text kept apart."""
    escaped = escape_nul(values)
    if escaped is values:
        return pd.factorize(values, sort=sort)
    codes, _ = pd.factorize(escaped, sort=sort)
    numbers, first = np.unique(codes, return_index=True)
    return codes, pd.Index(values.iloc[first[numbers >= 0]])
