"""The grammar of CSV finds the end of a record, and says what in it is forbidden."""

import pytest

from ml_assets.core.ingestion.csv_grammar import RecordGrammar, Span, UnclosedQuote, hide_escapes
from ml_assets.core.model_spec.types.csv_dialect import CsvDialect


@pytest.mark.parametrize(
    ("text", "end", "problem"),
    [
        ("a,b\nc", 3, None),
        ('"a\n""b""",c\r\nd', 11, None),
        ('a,"b"c"d\ne', 8, "text after a closing quote"),
        ('a,b"c\nd"\ne', 5, "a quote within an unquoted field"),
        ("a\rb\nc", 3, "a carriage return within an unquoted field"),
        ("", 0, None),
    ],
)
def test_a_record_ends_where_a_lenient_reader_ends_it(text, end, problem):
    record = RecordGrammar(CsvDialect()).read_record(text.encode(), 0)
    assert record == Span(0, end, 0 if problem else 1, problem)


@pytest.mark.parametrize("text", ['a,"b', 'a,"b""', '"\n\n,""'])
def test_a_quote_that_is_never_closed_is_located(text):
    with pytest.raises(UnclosedQuote) as error:
        RecordGrammar(CsvDialect()).read_record(text.encode(), 0)
    assert error.value.position == text.index('"')


@pytest.mark.parametrize(
    ("text", "line_end"), [("a\rb", b"\r"), ("a\r\nb", b"\n"), ("a\nb\rc", b"\n"), ('"a\r"\n', b"\n"), ("a", b"\n")]
)
def test_the_line_end_of_the_header_is_that_of_the_file(text, line_end):
    assert RecordGrammar.of_file(CsvDialect(), text.encode(), 0).line_end == line_end[0]


def test_a_long_broken_record_is_read_in_linear_time():
    text = b'"' + b'a""' * 200_000 + b'"b,' + b'c,"' * 200_000
    assert RecordGrammar(CsvDialect()).read_record(text + b"\n", 0).problem == "text after a closing quote"


def test_escapes_are_hidden_without_moving_anything():
    dialect = CsvDialect(escape="\\")
    assert hide_escapes(dialect, b'a\\"b,c\\\\\n') == b"axxb,cxx\n"
    assert hide_escapes(CsvDialect(), b"a\\") == b"a\\"
    with pytest.raises(ValueError, match="the file ends with an escape character"):
        hide_escapes(dialect, b"a\nb\\")
