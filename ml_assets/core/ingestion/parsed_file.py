"""The content of a landed file before its values have types."""

from collections.abc import Set
from typing import NamedTuple

import pyarrow as pa

from ml_assets.core.ingestion.column_names import describe_lookalikes


class ParsedFile(NamedTuple):
    """Columns as they are in a file.

    table: the needed columns (or all), under their names in the file. columns: the names of all columns of the file.
    broken: the text of what is not a row; each counts as one. unreadable: texts of values that no type can hold, null
    elsewhere, by column; such a value is null in the table. first_problem: place and problem of the first of `broken`,
    where they are known. has_decimal_comma: whether numbers in text have a decimal comma. integers: the digits of whole
    numbers that JSON writes with an exponent, such as 1.0E7, null elsewhere, by column.
    """

    table: pa.Table
    columns: list[str]
    broken: list[str]
    unreadable: dict[str, pa.Array] = {}
    first_problem: str | None = None
    has_decimal_comma: bool = False
    integers: dict[str, pa.Array] = {}

    @property
    def is_empty(self) -> bool:
        """Whether the file has no content at all: no rows, no broken lines, and no columns."""
        return not self.columns and not self.broken and self.table.num_rows == 0

    def check_rows(self, sources: Set[str]) -> None:
        """Check that the file may hold rows with the columns `sources`, and is not an error page, for example.

        Raises:
            ValueError: when nothing in it is a row, or when it has none of the columns.
        """
        if self.broken and not self.table.num_rows:
            raise ValueError(f"it contains no rows{f' ({self.first_problem})' if self.first_problem else ''}")
        if self.columns and not sources & set(self.columns):
            columns = (
                f"it has none of the columns of the contract; its columns are {shorten(', '.join(self.columns[:20]))}"
            )
            advice = [*describe_lookalikes(sorted(sources), self.columns), *self._describe_delimiter()]
            advice = advice or [
                f'a column of the contract gets its name in the file with source: "{shorten(self.columns[0])}"'
            ]
            raise ValueError("; ".join([columns, *advice]))

    def _describe_delimiter(self) -> list[str]:
        """Return the delimiter that a header of one column seems to have, as its specification."""
        header = self.columns[0] if len(self.columns) == 1 else ""
        written = {";": '";"', "\t": r'"\t"', "|": '"|"'}
        return [
            f"its fields seem to be separated by another character: source.csv: {{delimiter: {written[delimiter]}}}"
            for delimiter in written
            if delimiter in header
        ][:1]


def shorten(text: str) -> str:
    """Return at most the first 100 characters of a text, with an ellipsis if there are more."""
    return text if len(text) <= 100 else f"{text[:100]}..."
