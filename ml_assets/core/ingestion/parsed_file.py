"""The content of a landed file before its values have types."""

from collections.abc import Set
from typing import NamedTuple

import pyarrow as pa

from ml_assets.core.ingestion.column_names import describe_lookalikes


class ParsedFile(NamedTuple):
    """Columns as they are in a file.

    table: the needed columns (or all), under their names in the file. columns: the names of all columns of the file.
    broken: texts that are not rows, each of which counts as a row. unreadable: texts of values that no type can hold,
    null elsewhere, by column; such a value is null in the table. first_problem: place and problem of the first broken
    text, if known. has_decimal_comma: whether numbers in text have a decimal comma. integers: the digits of whole
    numbers that JSON writes with an exponent, such as 1.0E7, null elsewhere, by column. may_omit_nulls: whether the
    format allows rows without the names of columns that are null.
    """

    table: pa.Table
    columns: list[str]
    broken: list[str]
    unreadable: dict[str, pa.Array] = {}
    first_problem: str | None = None
    has_decimal_comma: bool = False
    integers: dict[str, pa.Array] = {}
    may_omit_nulls: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the file has no content at all: no rows, no broken lines, and no columns."""
        return not self.columns and not self.broken and self.table.num_rows == 0

    def check_rows(self, sources: Set[str]) -> None:
        """Check that the file has rows and some of the columns `sources`, unlike an error page.

        Raises:
            ValueError: when it has no rows, or none of the columns.
        """
        if self.broken and not self.table.num_rows:
            reason = f"it contains no rows{f' ({self.first_problem})' if self.first_problem else ''}"
            raise ValueError("; ".join([reason, *self._describe_delimiter()]))
        if self.columns and not sources & set(self.columns):
            columns = (
                f"it has none of the columns of the contract; its columns are {shorten(', '.join(self.columns[:20]))}"
            )
            advice = [*describe_lookalikes(sorted(sources), self.columns), *self._describe_delimiter()]
            example = f'source: "{shorten(self.columns[0])}"'
            advice = advice or [
                f"a column that has another name in the file gets that name as its source, as {example}"
            ]
            raise ValueError("; ".join([columns, *advice]))

    def _describe_delimiter(self) -> list[str]:
        """Suggest the delimiter setting for a header that was read as a single column."""
        header = self.columns[0] if len(self.columns) == 1 else ""
        written = {";": '";"', "\t": r'"\t"', "|": '"|"'}
        return [
            f"its fields seem to be separated by another character: source.csv: {{delimiter: {written[delimiter]}}}"
            for delimiter in written
            if delimiter in header
        ][:1]


def shorten(text: str) -> str:
    """Return a text cut to 100 characters, with an ellipsis if it is longer."""
    return text if len(text) <= 100 else f"{text[:100]}..."
