"""The columns of rows of JSON, as Arrow arrays of text."""

from collections.abc import Collection, Sequence

import pyarrow as pa

from ml_assets.core.ingestion.json_reader import ExponentLiteral, UnreadableText, json_text, whole_digits
from ml_assets.core.ingestion.values.text_decoding import escape


class JsonColumns:
    """The columns of rows that are added in blocks, so that only one block at a time exists as Python objects.

    Of columns that are not needed, only the names are kept.

    rows: number of rows. names: names of all columns, in the order of their first occurrence.

    Args:
        needed: names of the columns to keep; all by default.
    """

    def __init__(self, needed: Collection[str] | None):
        self._needed = needed
        self._sizes: list[int] = []
        self._texts: dict[str, dict[int, pa.Array]] = {}
        self._unreadable: dict[str, dict[int, pa.Array]] = {}
        self._integers: dict[str, dict[int, pa.Array]] = {}
        self.rows = 0
        self.names: dict[str, None] = {}

    def add(self, rows: Sequence[dict[str, object]]) -> None:
        """Add rows whose values are results of `json_reader.loads`."""
        if not rows:
            return
        block, names = len(self._sizes), dict.fromkeys(name for row in rows for name in row)
        self._sizes.append(len(rows))
        self.rows += len(rows)
        self.names |= names
        for name in names if self._needed is None else [name for name in names if name in self._needed]:
            values = [row.get(name) for row in rows]
            texts, failed = _texts(values)
            self._texts.setdefault(name, {})[block] = texts
            if failed is not None:
                self._unreadable.setdefault(name, {})[block] = failed
            if any(type(value) is ExponentLiteral for value in values):
                digits = [whole_digits(value) if type(value) is ExponentLiteral else None for value in values]
                self._integers.setdefault(name, {})[block] = pa.array(digits, pa.string())

    def collect(self) -> tuple[dict[str, pa.ChunkedArray], dict[str, pa.Array], dict[str, pa.Array]]:
        """Return the texts of each column; for columns that have any, the texts of unreadable values, and the digits of
        whole numbers with an exponent (both null elsewhere).
        """
        texts = {name: pa.chunked_array(self._blocks(self._texts[name])) for name in self.names if name in self._texts}
        unreadable, integers = (
            {escape(name): pa.concat_arrays(self._blocks(blocks)) for name, blocks in columns.items()}
            for columns in (self._unreadable, self._integers)
        )
        return {escape(name): column for name, column in texts.items()}, unreadable, integers

    def _blocks(self, blocks: dict[int, pa.Array]) -> list[pa.Array]:
        return [blocks.get(block, pa.nulls(size, pa.string())) for block, size in enumerate(self._sizes)]


def _texts(values: list[object]) -> tuple[pa.Array, pa.Array | None]:
    """Return the texts of values, and the texts of unreadable values (None if there are none)."""
    try:
        return pa.array(values, pa.string()), None
    except (pa.ArrowException, UnicodeEncodeError):
        # Some values are not text or not valid Unicode.
        pass
    texts: list[str | None] = []
    failed: dict[int, str] = {}
    for row, value in enumerate(values):
        try:
            texts.append(value if value is None or isinstance(value, str) else json_text(value))
        except RecursionError:
            texts.append(None)
            failed[row] = "lists or objects nested too deeply"
        if isinstance(value, UnreadableText):
            failed[row] = escape(value.text)
    try:
        column = pa.array(texts, pa.string())
    except UnicodeEncodeError:
        column = None
        failed |= {row: escape(text) for row, text in enumerate(texts) if text is not None and escape(text) != text}
    if not failed and column is not None:
        return column, None
    kept = [None if row in failed else text for row, text in enumerate(texts)]
    return pa.array(kept, pa.string()), pa.array([failed.get(row) for row in range(len(texts))], pa.string())
