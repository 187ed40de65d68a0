"""The reader of CSV files: every column as text, and the lines that are no rows."""

import io

import pyarrow as pa
import pyarrow.csv as pa_csv

from ml_assets.core.tables.arrow_memory import open_content


def parse_csv(content: bytes) -> tuple[pa.Table, list[str]]:
    """Read a CSV file: its columns as text, and the lines that are not rows."""
    if not content.strip():
        raise ValueError("the file is empty: not even a header")
    broken: list[str] = []

    def record_broken(row: pa_csv.InvalidRow) -> str:
        broken.append(row.text)
        return "skip"

    content.decode("utf-8-sig")
    header = read_csv_header(content)
    table = pa_csv.read_csv(
        open_content(content),
        read_options=pa_csv.ReadOptions(use_threads=False),
        parse_options=pa_csv.ParseOptions(invalid_row_handler=record_broken, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types={column: pa.string() for column in header},
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    return table, broken


def read_csv_header(content: bytes) -> list[str]:
    """Read the names of the columns of a CSV file from its first lines.

    `pyarrow.csv.open_csv` would call the handler of invalid rows from a thread that may outlive the interpreter.

    Raises:
        pa.ArrowInvalid: when the file has no line.
    """
    head, quotes = [], 0
    for line in io.BytesIO(content):
        head.append(line)
        quotes += line.count(b'"')
        # A name in quotes may contain the end of a line.
        if line.strip() and quotes % 2 == 0:
            break
    return pa_csv.read_csv(
        open_content(b"".join(head)),
        read_options=pa_csv.ReadOptions(use_threads=False),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda row: "skip"),
    ).column_names
