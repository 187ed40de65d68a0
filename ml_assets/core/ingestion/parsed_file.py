"""The content of a landed file before its values have types."""

from typing import NamedTuple

import pyarrow as pa


class ParsedFile(NamedTuple):
    """Columns as they stand in a file.

    table: the needed columns (or all), under their names in the file. columns: the names of all columns of the file.
    broken: the text of what is no row; each counts as one row. unreadable: texts of values that no type can hold, null
    elsewhere, by column; such a value is null in the table.
    """

    table: pa.Table
    columns: list[str]
    broken: list[str]
    unreadable: dict[str, pa.Array] = {}
