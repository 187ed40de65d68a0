"""The grammar of the records of a CSV file, as regular expressions over its bytes."""

import re
from dataclasses import dataclass
from typing import Self

from ml_assets.core.model_spec.types.csv_dialect import CsvDialect

CR, LF = b"\r\n"


class UnclosedQuote(Exception):
    """A quote that opens a field and is never closed; `position` is that of the quote."""

    def __init__(self, position: int):
        super().__init__(position)
        self.position = position


@dataclass(frozen=True)
class Span:
    """Consecutive records between two positions in the file.

    rows: number of records, all of them with the right fields; 0 for a broken record, whose `problem` says why.
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
        has_carriage_returns: whether a carriage return alone ends a record, as in very old files; otherwise a line feed
            does, with or without a carriage return before it.
    """

    def __init__(self, dialect: CsvDialect, has_carriage_returns: bool = False):
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
    def of_file(cls, dialect: CsvDialect, structure: bytes, header: int) -> Self:
        """Return the grammar of a file whose header is at a position; the line end of the header is that of all."""
        grammar = cls(dialect)
        end = _end_of(grammar._record, structure, header)
        is_carriage_return = structure.startswith(b"\r", end) and not structure.startswith(b"\r\n", end)
        return cls(dialect, has_carriage_returns=True) if is_carriage_return else grammar

    def row_pattern(self, columns: int) -> re.Pattern[bytes]:
        """Return the pattern of a record with a number of fields, without its line end."""
        return re.compile(self._row % (columns - 1))

    def skip_blank_lines(self, structure: bytes, start: int) -> int:
        """Return the first position that is not in an empty line."""
        return _end_of(self._blank_lines, structure, start)

    def read_record(self, structure: bytes, start: int) -> Span:
        """Return the record at a position, with the problem of its characters, if they have one.

        It ends where a lenient reader would end it: text after a closing quote, and what an unquoted field must not
        contain, are ordinary characters.

        Raises:
            UnclosedQuote: when the file ends within quotes.
        """
        end = _end_of(self._lenient, structure, start)
        if end < len(structure) and structure[end] == self.quote:
            raise UnclosedQuote(end)
        strict_end = _end_of(self._record, structure, start)
        if strict_end == end:
            return Span(start, end, 1)
        forbidden = {self.quote: "a quote", CR: "a carriage return", LF: "a line feed"}.get(structure[strict_end])
        problem = f"{forbidden} within an unquoted field" if forbidden else "text after a closing quote"
        return Span(start, end, 0, problem)

    def count_fields(self, structure: bytes, record: Span) -> int:
        """Return the number of fields of a record whose quotes are right."""
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
    """Return the pattern of a field, and that of a field as a lenient reader accepts it."""
    delimiter = re.escape(dialect.delimiter.encode())
    quote = b"" if dialect.quote is None else re.escape(dialect.quote.encode())
    text = b"[^" + quote + delimiter + rb"\r\n]*+"
    # Either character of line ends is ordinary where it ends no record.
    first = b"(?:[^" + quote + delimiter + rb"\r\n]|(?!" + record_end + rb")[\r\n])"
    lenient_text = b"(?:[^" + delimiter + rb"\r\n]++|(?!" + record_end + rb")[\r\n])*+"
    if dialect.quote is None:
        return text, lenient_text
    quoted = quote + b"[^" + quote + b"]*+(?:" + quote * 2 + b"[^" + quote + b"]*+)*+" + quote
    return b"(?>" + quoted + b"|" + text + b")", b"(?>" + quoted + lenient_text + b"|" + first + lenient_text + b"|)"


def _end_of(pattern: re.Pattern[bytes], structure: bytes, start: int) -> int:
    match = pattern.match(structure, start)
    assert match is not None, "the pattern also matches nothing"
    return match.end()
