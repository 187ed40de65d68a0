"""The reader of CSV files: text by column, and the lines that are not rows."""

import codecs
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pa_csv

from ml_assets.core.ingestion.csv_grammar import RecordGrammar, RecordTooLong, Span, UnclosedQuote, hide_escapes
from ml_assets.core.ingestion.csv_records import RecordScanner
from ml_assets.core.ingestion.limits import LimitExceeded, check_limit, exceeded
from ml_assets.core.ingestion.parsed_file import ParsedFile
from ml_assets.core.model_spec.types.csv_dialect import CsvDialect
from ml_assets.core.model_spec.types.file_limits import DEFAULT_LIMITS, FileLimits
from ml_assets.core.tables.arrow_memory import open_content

_BLOCK = 1 << 21
_BOM = "\ufeff"
# Arrow drops a byte order mark at the beginning of a block, but keeps one after an empty line.
_FIRST = b"\n"
_LINE_END, _LINE_ENDS = re.compile(rb"\r\n|\r|\n"), re.compile(rb"[\r\n]*+")
_ONLY_SPACE = re.compile(rb"\s*+\Z")


@dataclass(frozen=True)
class _Block:
    """Whole rows for one block of Arrow."""

    pieces: list[memoryview]
    size: int
    rows: int


def parse_csv(
    content: bytes, dialect: CsvDialect, needed: Collection[str] | None = None, limits: FileLimits = DEFAULT_LIMITS
) -> ParsedFile:
    """Read a CSV file strictly by its dialect.

    Each line of a broken record counts as a row, because a misplaced quote spans the line ends of several rows.

    Args:
        content: the bytes of the file.
        dialect: the dialect.
        needed: names of the columns to read; all by default.
        limits: the limits of the file.

    Raises:
        LimitExceeded: when the file exceeds one of its limits.
        ValueError: when the bytes are not text in the encoding, the header has quotes in the wrong places, a quote is
            never closed, or the number of rows differs from the number of line ends.
    """
    text = _CsvText(content, dialect, limits)
    if text.header is None:
        return ParsedFile(pa.table({}), [], [])
    names = text.read_names()
    positions = [position for position, name in enumerate(names) if needed is None or name in needed] or [0]
    tables, broken_lines, first_problem, rows = [], [], None, 0
    for part in text.parts(len(names)):
        if isinstance(part, _Block):
            tables.append(_read_block(part, dialect, len(names), positions))
        else:
            first_problem = first_problem or f"line {text.line_number(part.start):,}: {part.problem}"
            broken_lines += text.lines_of(part)
        rows += part.rows
        check_limit(limits, "rows", rows + len(broken_lines), is_exact=False)
    empty = pa.schema([(str(position), pa.string()) for position in positions]).empty_table()
    table = pa.concat_tables([empty, *tables]).rename_columns([names[position] for position in positions])
    return ParsedFile(table, names, broken_lines, first_problem=first_problem, has_decimal_comma=dialect.decimal == ",")


def read_csv_header(content: bytes, dialect: CsvDialect, limits: FileLimits = DEFAULT_LIMITS) -> list[str]:
    """Read the names of the columns of a CSV file.

    Raises:
        LimitExceeded: when the header exceeds one of the limits.
        ValueError: when there is no header, or it cannot be read.
    """
    text = _CsvText(content, dialect, limits)
    if text.header is None:
        raise ValueError("the file is empty and has no header")
    return text.read_names()


class _CsvText:
    """The text of a CSV file in UTF-8, without its byte order mark.

    header: the span of the header; None if the file has no header.
    """

    def __init__(self, content: bytes, dialect: CsvDialect, limits: FileLimits):
        self._dialect = dialect
        self._limits = limits
        self._content = _decode(content, dialect)
        self._structure = hide_escapes(dialect, self._content)
        start = self._start_of_header()
        self._grammar = RecordGrammar.of_file(dialect, self._structure, start, limits.line_bytes)
        self.header = self._read_header(start) if start < len(self._content) else None

    def _start_of_header(self) -> int:
        start = 0
        for _ in range(self._dialect.skip_lines):
            line_end = _LINE_END.search(self._content, start)
            start = line_end.end() if line_end else len(self._content)
        if _ONLY_SPACE.match(self._content, start):
            return len(self._content)
        line_ends = _LINE_ENDS.match(self._content, start)
        assert line_ends is not None, "the pattern also matches nothing"
        return line_ends.end()

    def _read_header(self, start: int) -> Span:
        try:
            header = self._grammar.read_record(self._structure, start)
        except UnclosedQuote as error:
            raise self._unclosed(error) from None
        except RecordTooLong as error:
            raise self._too_long("the header", error) from None
        if header.problem:
            raise ValueError(f"the header (line {self.line_number(start):,}) is not valid: {header.problem}")
        return header

    def read_names(self) -> list[str]:
        """Read the names of the columns from the header.

        Raises:
            LimitExceeded: when there are more columns than the limit.
        """
        assert self.header is not None
        # Arrow needs kilobytes per column.
        check_limit(self._limits, "columns", self._grammar.count_fields(self._structure, self.header))
        line = _FIRST + self._content[self.header.start : self.header.end] + b"\n"
        return pa_csv.read_csv(
            open_content(line), pa_csv.ReadOptions(use_threads=False, block_size=len(line) + 1), _options(self._dialect)
        ).column_names

    def parts(self, columns: int) -> Iterator[_Block | Span]:
        """Yield the rows after the header in blocks for Arrow, and the broken records between them."""
        assert self.header is not None
        content, pieces, size, rows = memoryview(self._content), [], 0, 0
        try:
            for span in RecordScanner(self._grammar, self._structure, columns).scan(self.header.end):
                if span.problem:
                    yield span
                    continue
                pieces.append(content[span.start : span.end])
                size += span.end - span.start
                rows += span.rows
                if size >= _BLOCK:
                    yield _Block(pieces, size, rows)
                    pieces, size, rows = [], 0, 0
        except UnclosedQuote as error:
            raise self._unclosed(error) from None
        except RecordTooLong as error:
            raise self._too_long(f"line {self.line_number(error.position):,}", error) from None
        if rows:
            yield _Block(pieces, size, rows)

    def _unclosed(self, error: UnclosedQuote) -> ValueError:
        return ValueError(f"the quote that opens in line {self.line_number(error.position):,} is never closed")

    def _too_long(self, where: str, error: RecordTooLong) -> LimitExceeded:
        quote = ", in which a quote opens that may never be closed," if error.has_open_quote else ""
        return exceeded(self._limits, "line_bytes", error.size, f"{where}{quote}", is_exact=False)

    def line_number(self, position: int) -> int:
        """Return the number of the line of a position, from 1."""
        count = self._content.count
        return 1 + count(b"\n", 0, position) + count(b"\r", 0, position) - count(b"\r\n", 0, position)

    def lines_of(self, record: Span) -> list[str]:
        """Return the texts of the lines of a broken record."""
        lines = _LINE_END.split(self._content[record.start : record.end])
        return [line.decode() for line in lines if line.strip()]


def _decode(content: bytes, dialect: CsvDialect) -> bytes:
    encoding = codecs.lookup(dialect.encoding).name
    try:
        if encoding not in ("utf-8", "utf-8-sig"):
            return content.decode(encoding).removeprefix(_BOM).encode()
        content = content.removeprefix(_BOM.encode())
        content.decode()
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        raise ValueError(
            f"line {line:,} is not {dialect.encoding} text (byte 0x{content[error.start]:02x}: {error.reason}); "
            "set source.csv.encoding to the encoding of the files, such as cp1252"
        ) from error
    return content


def _options(dialect: CsvDialect) -> pa_csv.ParseOptions:
    return pa_csv.ParseOptions(
        delimiter=dialect.delimiter,
        quote_char=dialect.quote or False,
        escape_char=dialect.escape or False,
        newlines_in_values=True,
    )


def _read_block(block: _Block, dialect: CsvDialect, columns: int, positions: list[int]) -> pa.Table:
    """Read rows as a single Arrow block, because Arrow loses line feeds within values at block boundaries."""
    needed = [str(position) for position in positions]
    table = pa_csv.read_csv(
        open_content(_FIRST, *block.pieces),
        pa_csv.ReadOptions(
            use_threads=False,
            block_size=block.size + 2,
            column_names=[str(position) for position in range(columns)],
        ),
        _options(dialect),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(needed, pa.string()),
            include_columns=needed,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=["", *dialect.null_values],
        ),
    )
    if table.num_rows != block.rows:
        raise ValueError(f"the file has {block.rows:,} rows by its line ends, but {table.num_rows:,} were read")
    return table
