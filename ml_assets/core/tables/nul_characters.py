"""Text with NUL characters, which pandas' hash tables do not distinguish.

They compare text as C strings, so `pd.factorize`, `groupby`, `nunique` and `pd.MultiIndex` treat "a\\x00b" and
"a\\x00c" as the same value, and "\\x00a" as empty text.
"""

import numpy as np
import pandas as pd
import pyarrow as pa


def escape_nul(values: pd.Series) -> pd.Series:
    """Replace text with NUL characters by text without them, so that different values stay different.

    Equal values stay equal, even in different columns. The escape character is also escaped; all other values are
    unchanged, as are categorical columns, which already have codes.
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
    """Return whether text of a column may contain a character that must be escaped."""
    try:
        texts = pa.array(values, pa.large_string(), from_pandas=True)
    except (pa.ArrowException, UnicodeError):
        # Some values are not text or not valid text.
        return True
    chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
    # Both are smaller than all other UTF-8 bytes.
    return any(np.frombuffer(data, np.uint8).min(initial=255) <= 1 for chunk in chunks if (data := chunk.buffers()[2]))


def factorize(values: pd.Series, sort: bool = False) -> tuple[np.ndarray, pd.Index]:
    """Apply `pd.factorize` to a column such that all different texts are distinguished."""
    escaped = escape_nul(values)
    if escaped is values:
        return pd.factorize(values, sort=sort)
    codes, _ = pd.factorize(escaped, sort=sort)
    numbers, first = np.unique(codes, return_index=True)
    return codes, pd.Index(values.iloc[first[numbers >= 0]])
