"""The grammar of CSV records, as regular expressions over the bytes of a file."""

import re
import sys
from dataclasses import dataclass
from typing import Self

from ml_assets.core.model_spec.types.csv_dialect import CsvDialect

CR, LF = b"\r\n"


class UnclosedQuote(Exception):
    """A quote that opens a field and is never closed; `position` is the position of the quote."""

    def __init__(self, position: int):
        super().__init__(position)
        self.position = position


class RecordTooLong(Exception):
    """A record at `position` is longer than the limit: it has at least `size` bytes.

    has_open_quote: whether it is within quotes at the limit.
    """

    def __init__(self, position: int, size: int, has_open_quote: bool = False):
        super().__init__(position, size)
        self.position = position
        self.size = size
        self.has_open_quote = has_open_quote


@dataclass(frozen=True)
class Span:
    """Consecutive records between two positions in the file.

    rows: number of records, all with the right number of fields; 0 for a broken record, whose `problem` gives the
    reason.
    """

    start: int
    end: int
    rows: int
    problem: str | None = None


class RecordGrammar:
    """The grammar of records in a file without escapes, see `hide_escapes`.

    The patterns take as much as possible and never backtrack, so that they need linear time.

    Args:
        dialect: the dialect.
        has_carriage_returns: whether a single carriage return ends a record, as in very old files; otherwise a line
            feed ends it, with or without a carriage return before it.
        longest: maximum bytes of a record.
    """

    def __init__(self, dialect: CsvDialect, has_carriage_returns: bool = False, longest: int = sys.maxsize):
        self.longest = longest
        self.delimiter = ord(dialect.delimiter)
        self.quote = None if dialect.quote is None else ord(dialect.quote)
        self.line_end, self.other_line_end = (CR, LF) if has_carriage_returns else (LF, CR)
        line_end = rb"\r" if has_carriage_returns else rb"\r?\n"
        record_end = line_end + (rb"|\Z" if has_carriage_returns else rb"|\r?\Z")
        self._blank_lines = re.compile(b"(?:" + line_end + b")*+" + rb"(?:\r?\Z)?")
        field, lenient_field = _field_patterns(dialect, record_end)
        next_field = b"(?:" + re.escape(dialect.delimiter.encode())
        self._row = field + next_field + field + b"){%d}(?=" + record_end + b")"
        self._record = re.compile(field + next_field + field + b")*+")
        self._lenient = re.compile(lenient_field + next_field + lenient_field + b")*+")

    @classmethod
    def of_file(cls, dialect: CsvDialect, structure: bytes, header: int, longest: int = sys.maxsize) -> Self:
        """Return the grammar of a file whose header is at a position; the line end of the header applies to all
        records."""
        grammar = cls(dialect, longest=longest)
        end = _end_of(grammar._record, structure, header, grammar.limit(structure, header))
        is_carriage_return = structure.startswith(b"\r", end) and not structure.startswith(b"\r\n", end)
        return cls(dialect, has_carriage_returns=True, longest=longest) if is_carriage_return else grammar

    def limit(self, structure: bytes, start: int) -> int:
        """Return the position up to which a record that begins at `start` is examined.

        To find the end of a record that is not too long, at most two bytes after it are needed.
        """
        return min(start + self.longest + 3, len(structure))

    def row_pattern(self, columns: int) -> re.Pattern[bytes]:
        """Return the pattern of a record with a number of fields, without its line end."""
        return re.compile(self._row % (columns - 1))

    def skip_blank_lines(self, structure: bytes, start: int) -> int:
        """Return the first position that is not in an empty line."""
        return _end_of(self._blank_lines, structure, start)

    def read_record(self, structure: bytes, start: int) -> Span:
        """Return the record at a position, with the problem of its characters, if any.

        It ends where a lenient reader would end it: text after a closing quote and characters forbidden in an unquoted
        field count as ordinary characters.

        Raises:
            UnclosedQuote: when the file ends within quotes.
            RecordTooLong: when the record is longer than the limit.
        """
        limit = self.limit(structure, start)
        end = _end_of(self._lenient, structure, start, limit)
        if end < limit and structure[end] == self.quote:
            if limit == len(structure) or structure.find(self.quote, end + 1) < 0:
                raise UnclosedQuote(end)
            raise RecordTooLong(start, limit - start, has_open_quote=True)
        if end - start > self.longest:
            raise RecordTooLong(start, end - start)
        strict_end = _end_of(self._record, structure, start, limit)
        if strict_end == end:
            return Span(start, end, 1)
        forbidden = {self.quote: "a quote", CR: "a carriage return", LF: "a line feed"}.get(structure[strict_end])
        problem = f"{forbidden} within an unquoted field" if forbidden else "text after a closing quote"
        return Span(start, end, 0, problem)

    def count_fields(self, structure: bytes, record: Span) -> int:
        """Return the number of fields of a record with valid quotes."""
        text = structure[record.start : record.end]
        if self.quote is not None:
            quote = re.escape(bytes([self.quote]))
            text = re.sub(quote + b"[^" + quote + b"]*+" + quote, b"", text)
        return text.count(bytes([self.delimiter])) + 1


def hide_escapes(dialect: CsvDialect, content: bytes) -> bytes:
    """Replace each escape character and the one after it by letters, so that positions stay the same.

    Raises:
        ValueError: when the content ends with an escape character that escapes nothing.
    """
    if dialect.escape is None or dialect.escape.encode() not in content:
        return content
    escape = dialect.escape.encode()
    structure = re.sub(re.escape(escape) + b".", b"xx", content, flags=re.DOTALL)
    if structure.endswith(escape):
        raise ValueError("the file ends with an escape character that escapes nothing")
    return structure


def _field_patterns(dialect: CsvDialect, record_end: bytes) -> tuple[bytes, bytes]:
    """Return the strict and the lenient pattern of a field."""
    delimiter = re.escape(dialect.delimiter.encode())
    quote = b"" if dialect.quote is None else re.escape(dialect.quote.encode())
    text = b"[^" + quote + delimiter + rb"\r\n]*+"
    # A line-end character that does not end a record is ordinary.
    first = b"(?:[^" + quote + delimiter + rb"\r\n]|(?!" + record_end + rb")[\r\n])"
    lenient_text = b"(?:[^" + delimiter + rb"\r\n]++|(?!" + record_end + rb")[\r\n])*+"
    if dialect.quote is None:
        return text, lenient_text
    quoted = quote + b"[^" + quote + b"]*+(?:" + quote * 2 + b"[^" + quote + b"]*+)*+" + quote
    return b"(?>" + quoted + b"|" + text + b")", b"(?>" + quoted + lenient_text + b"|" + first + lenient_text + b"|)"


def _end_of(pattern: re.Pattern[bytes], structure: bytes, start: int, limit: int = sys.maxsize) -> int:
    match = pattern.match(structure, start, limit)
    assert match is not None, "the pattern also matches nothing"
    return match.end()
