"""The records of a CSV file, found strictly by the grammar of its dialect (RFC 4180 by default).

The scan counts records independently of the parser that reads their values, so that rows lost or invented by the parser
are detected. Windows of the file are checked with numpy; a window that breaks the grammar is scanned again record by
record.
"""

from collections.abc import Iterator

import numpy as np

from ml_assets.core.ingestion.csv_grammar import CR, LF, RecordGrammar, Span

_WINDOW = 1 << 18


class RecordScanner:
    """The scanner of the records of one file.

    Args:
        grammar: the grammar of records.
        structure: the file in UTF-8, without escapes.
        columns: number of fields of a row.
    """

    def __init__(self, grammar: RecordGrammar, structure: bytes, columns: int):
        self._grammar = grammar
        self._structure = structure
        self._bytes = np.frombuffer(structure, np.uint8)
        self._columns = columns
        self._row = grammar.row_pattern(columns)

    def scan(self, start: int) -> Iterator[Span]:
        """Yield spans of records from a position to the end of the file; spans may contain empty lines.

        Raises:
            UnclosedQuote: when the file ends within quotes.
            RecordTooLong: when a record is longer than the limit.
        """
        position, size, end = start, _WINDOW, len(self._structure)
        while position < end:
            stop = min(position + size, end)
            rows = self._rows_of(position, stop)
            if rows is None:
                for span in self._scan_records(position, min(position + _WINDOW, end)):
                    yield span
                    position = span.end
                size = _WINDOW
            elif rows.end == position:
                # The record is longer than the window.
                if size > self._grammar.longest:
                    self._grammar.read_record(self._structure, position)
                size *= 2
            else:
                yield rows
                position, size = rows.end, _WINDOW

    def _scan_records(self, start: int, stop: int) -> Iterator[Span]:
        """Scan record by record; a record that begins before `stop` is read to its end."""
        position, rows, match_row = start, 0, self._row.match
        while True:
            position = self._grammar.skip_blank_lines(self._structure, position)
            if position >= stop:
                break
            limit = self._grammar.limit(self._structure, position)
            match = match_row(self._structure, position, limit)
            if match and match.end() - position <= self._grammar.longest:
                rows, position = rows + 1, match.end()
                continue
            if position > start:
                yield Span(start, position, rows)
            record = self._grammar.read_record(self._structure, position)
            if record.problem is None:
                fields = self._grammar.count_fields(self._structure, record)
                problem = f"it has {fields:,} field{'' if fields == 1 else 's'}, the header has {self._columns:,}"
                record = Span(record.start, record.end, 0, problem)
            yield record
            start = position = record.end
            rows = 0
        if position > start:
            yield Span(start, position, rows)

    def _rows_of(self, start: int, stop: int) -> Span | None:
        """Check that all whole records between two positions are rows; None if there is any doubt.

        Returns:
            The span of the records, which is empty when the first record does not end before `stop`.
        """
        window = self._bytes[start:stop]
        is_last = stop == len(self._structure)
        is_end = window == self._grammar.line_end
        is_delimiter = window == self._grammar.delimiter
        # The other line-end characters: carriage returns before line feeds, or line feeds where carriage returns end
        # lines.
        has_others = self._structure.find(self._grammar.other_line_end, start, stop) >= 0
        is_other = window == self._grammar.other_line_end if has_others else None
        if self._grammar.quote is not None and self._structure.find(self._grammar.quote, start, stop) >= 0:
            is_quote = window == self._grammar.quote
            is_outside = np.logical_not(_is_inside(is_quote))
            may_touch_quotes = is_quote | is_delimiter | is_end
            if is_other is not None:
                may_touch_quotes |= is_other
            if not _are_well_placed(is_quote, is_outside, may_touch_quotes) or (is_last and not is_outside[-1]):
                return None
            is_end &= is_outside
            is_delimiter &= is_outside
            is_other = None if is_other is None else is_other & is_outside
        ends = np.flatnonzero(is_end)
        if is_last:
            ends = np.append(ends, len(window))
        elif len(ends) == 0:
            return Span(start, start, 0)
        length = len(window) if is_last else int(ends[-1]) + 1
        if is_other is not None and not self._are_in_line_ends(window, np.flatnonzero(is_other[:length])):
            return None
        rows = self._count_rows(window, ends, np.flatnonzero(is_delimiter[:length]))
        return None if rows is None else Span(start, start + length, rows)

    def _are_in_line_ends(self, window: np.ndarray, others: np.ndarray) -> bool:
        """Return whether all other line-end characters outside of quotes belong to a line end."""
        if self._grammar.other_line_end != CR:
            return len(others) == 0
        return bool((window[others[others < len(window) - 1] + 1] == LF).all())

    def _count_rows(self, window: np.ndarray, ends: np.ndarray, delimiters: np.ndarray) -> int | None:
        """Return the number of records that end at `ends`; None if a record is too long or has the wrong number of
        fields.
        """
        starts = np.append(0, ends[:-1] + 1)
        is_record = ends > starts
        starts, ends = starts[is_record], ends[is_record]
        is_record = (ends - starts > 1) | (window[starts] != CR)
        starts, ends = starts[is_record], ends[is_record]
        if len(starts) and (ends - starts).max() > self._grammar.longest:
            return None
        if len(delimiters) != len(starts) * (self._columns - 1):
            return None
        if len(delimiters):
            by_record = delimiters.reshape(len(starts), -1)
            if np.any(by_record[:, 0] < starts) or np.any(by_record[:, -1] > ends):
                return None
        return len(starts)


def _are_well_placed(is_quote: np.ndarray, is_outside: np.ndarray, may_touch_quotes: np.ndarray) -> bool:
    """Return whether every quote is at an allowed position, assuming that quotes open and close in turn.

    A doubled quote closes and opens again, so an opening quote may also follow a closing one.

    Args:
        is_quote: whether each byte is a quote.
        is_outside: whether the text after each byte is outside of quotes.
        may_touch_quotes: whether each byte may precede an opening quote or follow a closing one.
    """
    # For booleans, `a > b` is `a & ~b` in a single pass.
    is_misplaced = is_quote[1:] > (is_outside[1:] | may_touch_quotes[:-1])
    return not is_misplaced.any() and not ((is_quote[:-1] & is_outside[:-1]) > may_touch_quotes[1:]).any()


def _is_inside(is_quote: np.ndarray) -> np.ndarray:
    """Return whether the number of quotes up to each byte is odd, as `np.bitwise_xor.accumulate` does, but faster.

    64 bytes become one 64-bit word; shifting a word by 1, 2, 4, ... and combining it with itself by XOR gives the
    parity of all bits up to each bit.
    """
    bits = np.packbits(is_quote, bitorder="little")
    words = np.append(bits, np.zeros(-len(bits) % 8, np.uint8)).view("<u8")
    for shift in (1, 2, 4, 8, 16, 32):
        words ^= words << shift
    odd = np.bitwise_xor.accumulate(words >> 63)
    words[1:] ^= 0 - odd[:-1]
    return np.unpackbits(words.view(np.uint8), count=len(is_quote), bitorder="little").view(bool)
