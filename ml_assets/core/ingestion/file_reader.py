"""The reader of landed files: Parquet, CSV or JSON lines, with columns renamed and typed by the spec, without loss."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

import codecs
import json
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.ingestion.column_names import describe_missing_columns
from ml_assets.core.ingestion.csv_reader import parse_csv
from ml_assets.core.ingestion.json_lines import parse_json_lines
from ml_assets.core.ingestion.limits import check_limit, unpack_gzip
from ml_assets.core.ingestion.parquet_reader import parse_parquet
from ml_assets.core.ingestion.parsed_file import ParsedFile, shorten
from ml_assets.core.ingestion.values.decimal_comma import convert_with_comma
from ml_assets.core.ingestion.values.text_decoding import recognize_wide_encoding
from ml_assets.core.ingestion.values.type_conversion import convert
from ml_assets.core.model_spec.file_feed import Contract
from ml_assets.core.model_spec.source import FORMATS
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW, UNREADABLE, raw_schema

WHOLE_LINE, NOT_IN_FILE = "_line", "column missing in file"
_NOT_SPACE = re.compile(rb"\S")
# First bytes that no text file has, with the format and the remedy.
_PACK = "pack it with gzip instead, or unpack it"
_OTHER_FORMATS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"PK\x03\x04"), "it is a ZIP archive or an Excel workbook: unpack it, or export its table as CSV"),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "it is an Excel workbook: export its table as CSV"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "it is a 7-Zip archive: unpack it"),
    (re.compile(rb"BZh[1-9]1AY&SY"), f"it is a bzip2 file: {_PACK}"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), f"it is a Zstandard file: {_PACK}"),
    (re.compile(rb"\xfd7zXZ\x00"), f"it is an xz file: {_PACK}"),
)
_GZIP, _PARQUET = re.compile(rb"\x1f\x8b\x08"), re.compile(rb"PAR[1E].*PAR[1E]\Z", re.DOTALL)
_MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|\?xml)\b", re.IGNORECASE)
_ENCRYPTED = re.compile("encrypted metadata|Cannot decrypt")
_ENCRYPTED_ADVICE = "it is an encrypted Parquet file: write it without encryption"


@dataclass(frozen=True)
class LandedFile:
    """The content of one landed file.

    rows: table with `raw_schema(spec)`; None if the file could not be read at all. `_source_row` counts the rows of the
    file from 0. Lines that are not rows come last and are numbered after all rows, so `_source_row` is not the line
    number if there are any. fault: the problem with the file as a whole, or None. other_columns: the columns of the
    file that the spec does not name, sorted; None if the file could not be read.
    """

    rows: pa.Table | None
    fault: str | None
    other_columns: list[str] | None = None


def read_landed_file(spec: Contract, key: str, content: bytes) -> LandedFile:
    """Read one file; errors in the data are returned as values, never raised.

    Columns that the spec does not name are left out. A value that cannot be read as its type becomes null, and its text
    is kept in `_unreadable_values`, a JSON object by column. The same applies to a column that the file does not have
    (unless it is nullable) and to a line that is not a row.

    Args:
        spec: the contract of the files.
        key: name of the file; its ending determines the format.
        content: the bytes of the file.
    """
    if oversized := refuse_size(spec, len(content)):
        return oversized
    try:
        return _read(spec, key, content)
    except MemoryError:
        # A problem of the machine, not of the data; Arrow's own memory error is also an ArrowException.
        raise
    except (pa.ArrowException, OSError, EOFError, ValueError, KeyError, RecursionError, OverflowError) as error:
        return LandedFile(None, f"cannot be read ({len(content):,} bytes): {_first_line(error)}")


def refuse_size(spec: Contract, size: int) -> LandedFile | None:
    """Return a file with a fault if its size alone exceeds `source.limits.unpacked_bytes`, so that it need not be read.

    Args:
        spec: the contract of the files.
        size: bytes of the file.
    """
    try:
        check_limit(spec.source.limits, "unpacked_bytes", size, is_exact=False)
    except ValueError as error:
        return LandedFile(None, f"cannot be read ({size:,} bytes): {error}")
    return None


def _read(spec: Contract, key: str, content: bytes) -> LandedFile:
    file = _parse(spec, key, content)
    # A delivery of labels may be empty.
    no_rows = "has no rows" if spec.event_time is not None else None
    if file.is_empty:
        return LandedFile(raw_schema(spec).empty_table(), no_rows, [])
    table = file.table
    sources = {name: column.source or name for name, column in spec.columns.items()}
    occurrences = Counter(file.columns)
    if repeated := [source for source in sources.values() if occurrences[source] > 1]:
        raise ValueError(f"columns occur more than once: {', '.join(repeated)}; land the file with each of them once")
    missing = {name: source for name, source in sources.items() if source not in occurrences}
    read_as = convert_with_comma if file.has_decimal_comma else convert
    columns, unreadable = {}, {}
    for name, source in sources.items():
        if name in missing:
            columns[name] = pa.nulls(table.num_rows, raw_schema(spec).field(name).type)
            if not spec.columns[name].nullable:
                unreadable[name] = pa.repeat(NOT_IN_FILE, table.num_rows)
        else:
            kind, values = spec.columns[name].type, table[source]
            if kind == "integer" and source in file.integers:
                values = pa.chunked_array([pc.coalesce(file.integers[source], values.combine_chunks())])
            columns[name], texts = read_as(values, kind, spec.source.time_zone)
            unreadable[name] = _first_text(file.unreadable.get(source), texts)
    columns[SOURCE_FILE] = pa.repeat(key, table.num_rows)
    columns[SOURCE_ROW] = pa.array(np.arange(table.num_rows), pa.int64())
    columns[UNREADABLE] = _as_json(unreadable, table.num_rows)
    broken_rows = _broken_rows(spec, key, table.num_rows, file.broken)
    rows = pa.concat_tables([pa.table(columns, raw_schema(spec)), broken_rows])
    faults = [no_rows] if no_rows and rows.num_rows == 0 else []
    may_omit = {name for name, column in spec.columns.items() if file.may_omit_nulls and column.nullable}
    if lacking := {name: source for name, source in missing.items() if name not in may_omit}:
        faults.append(describe_missing_columns(lacking, file.columns))
    if file.broken:
        where = f" ({file.first_problem})" if file.first_problem else ""
        count = f"{len(file.broken):,} lines are not rows" if len(file.broken) > 1 else "1 line is not a row"
        faults.append(f"{count}{where}")
    return LandedFile(rows, "; ".join(faults) or None, sorted(set(file.columns) - set(sources.values())))


def _parse(spec: Contract, key: str, content: bytes) -> ParsedFile:
    """Parse a file in the format of its file extension, within the limits of the source.

    Raises:
        LimitExceeded: when the file exceeds one of its limits.
        ValueError: when the file has content but no rows of the contract, such as an error page.
    """
    name, limits = key.lower(), spec.source.limits
    if name.endswith(".gz"):
        _check_format(spec, key, content, is_packed=True)
        content, name = unpack_gzip(content, limits), name[:-3]
        if _GZIP.match(content):
            raise ValueError("it is packed with gzip twice: pack it once")
    _check_format(spec, key[: len(name)], content)
    sources = {column.source or column_name for column_name, column in spec.columns.items()}
    if name.endswith(".parquet"):
        try:
            file = parse_parquet(content, sources, limits)
        except (OSError, pa.ArrowInvalid) as error:
            problem = f"it is a Parquet file that is damaged ({_first_line(error)}): land it again"
            raise ValueError(_ENCRYPTED_ADVICE if _ENCRYPTED.search(str(error)) else problem) from error
        file.check_rows(sources)
        return file
    if not name.endswith((".csv", ".jsonl")):
        raise ValueError(f"the format is unknown: the name must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
    try:
        if name.endswith(".csv"):
            file = parse_csv(content, spec.source.csv, sources, limits)
        else:
            file = parse_json_lines(content, sources, limits)
        file.check_rows(sources)
    except (pa.ArrowInvalid, ValueError) as error:
        if not _NOT_SPACE.search(content):
            raise
        raise ValueError(f"{_first_line(error)}; it begins with {_first_line_of(content)!r}") from error
    return file


def _check_format(spec: Contract, key: str, content: bytes, is_packed: bool = False) -> None:
    """Check that the first bytes of a file do not belong to another format than its extension states.

    Args:
        spec: the contract of the files.
        key: name of the file, without the extension of a compression that was undone.
        content: the bytes of the file, unpacked unless `is_packed`.
        is_packed: whether the file must be a gzip file.

    Raises:
        ValueError: when it has another format; the message has the remedy.
    """
    name = key.rpartition("/")[2]
    if advice := next((advice for pattern, advice in _OTHER_FORMATS if pattern.match(content)), None):
        raise ValueError(advice)
    if is_packed:
        if content and not _GZIP.match(content):
            raise ValueError(f"it is not a gzip file: name it {name[:-3]}")
        return
    if _GZIP.match(content):
        raise ValueError(f"it is a gzip file: name it {name}.gz")
    if name.lower().endswith(".parquet"):
        if content.startswith(b"PAR1") and not _PARQUET.match(content):
            raise ValueError("it is a Parquet file that is cut off: land it again")
    elif _PARQUET.match(content):
        raise ValueError(f"it is a Parquet file: name it {name.rpartition('.')[0].removesuffix('.parquet')}.parquet")
    if _MARKUP.match(content):
        kind = "an HTML page or XML document, such as a server sends with an error"
        raise ValueError(f"it is {kind}; it begins with {_first_line_of(content)!r}: land the file again")
    if name.lower().endswith(".parquet") and content[:3] not in (b"PAR", b""):
        raise ValueError(
            f"it is not a Parquet file, and begins with {_first_line_of(content)!r}: name it by its format"
        )
    is_csv = name.lower().endswith(".csv")
    if (is_csv or name.lower().endswith(".jsonl")) and (encoding := recognize_wide_encoding(content)):
        if not is_csv:
            raise ValueError("it is text in UTF-16 or UTF-32: JSON lines have to be UTF-8")
        if not codecs.lookup(spec.source.csv.encoding).name.startswith(("utf-16", "utf-32")):
            raise ValueError(f"it is text in UTF-16 or UTF-32: set source.csv.encoding to {encoding}")


def _first_text(first: pa.Array | None, second: pa.Array | None) -> pa.Array | None:
    if first is None or second is None:
        return second if first is None else first
    return pc.coalesce(first, second)


def _as_json(unreadable: dict[str, pa.Array], rows: int) -> pa.Array:
    texts_by_column = {
        name: texts.to_pylist() for name, texts in unreadable.items() if texts is not None and texts.null_count < rows
    }
    documents: list[str | None] = [None] * rows
    for row in range(rows if texts_by_column else 0):
        if row_texts := {name: texts[row] for name, texts in texts_by_column.items() if texts[row] is not None}:
            documents[row] = json.dumps(row_texts)
    return pa.array(documents, pa.string())


def _broken_rows(spec: Contract, key: str, first_row: int, lines: list[str]) -> pa.Table:
    # For CSV the position of a broken line among the rows is unknown, so broken lines are numbered after the last row.
    schema = raw_schema(spec)
    columns = {field.name: pa.nulls(len(lines), field.type) for field in schema}
    columns[SOURCE_FILE] = pa.array([key] * len(lines), pa.string())
    columns[SOURCE_ROW] = pa.array(np.arange(first_row, first_row + len(lines)), pa.int64())
    columns[UNREADABLE] = pa.array([json.dumps({WHOLE_LINE: line}) for line in lines], pa.string())
    return pa.table(columns, schema)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:500]


def _first_line_of(content: bytes) -> str:
    start = _NOT_SPACE.search(content)
    beginning = content[start.start() : start.start() + 1000] if start else b""
    return shorten(beginning.partition(b"\n")[0].decode("utf-8", "backslashreplace").lstrip("\ufeff").strip())
