"""CSV files are read exactly as their dialect says, and nothing is lost or changed silently."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion import csv_reader, csv_records
from ml_assets.core.ingestion.csv_reader import parse_csv, read_csv_header
from ml_assets.core.ingestion.parsed_file import ParsedFile
from ml_assets.core.model_spec.types.csv_dialect import CsvDialect

STRICT = CsvDialect()
OTHER = CsvDialect(delimiter=";", quote="'", escape="\\")
TEXTS = st.text(st.sampled_from("ab,;'\"\\\r\n \u00e9\u2028\x00\ufeff"), max_size=6)
TABLES = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(TEXTS, min_size=columns, max_size=columns), min_size=1, max_size=8)
)


def written(rows: list[list[str]], dialect: CsvDialect, line_end: str, quote_all: bool = True) -> bytes:
    """Write a table, with a header, as Python's csv module does."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        doublequote=dialect.escape is None,
        lineterminator=line_end,
        quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
    )
    writer.writerows([[f"column {number}" for number in range(len(rows[0]))], *rows])
    return text.getvalue().encode()


def rows_of(content: ParsedFile) -> list[list[str]]:
    """Return the rows as lists of texts, with empty text where nothing was written."""
    return [[value or "" for value in row.values()] for row in content.table.to_pylist()]


@pytest.fixture(params=[(1, 1), (9, 20), (1 << 18, 1 << 20)], scope="module", autouse=True)
def _sizes(request):
    """Windows and blocks of a few bytes, so that every character is once at a boundary, and those of real use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_records, "_WINDOW", request.param[0])
        patch.setattr(csv_reader, "_BLOCK", request.param[1])
        yield


@given(rows=TABLES, line_end=st.sampled_from(["\n", "\r\n", "\r"]), dialect=st.sampled_from([STRICT, OTHER]))
def test_any_text_is_read_as_it_was_written(rows, line_end, dialect):
    content = parse_csv(written(rows, dialect, line_end), dialect)
    assert rows_of(content) == rows
    assert content.broken == []


@given(rows=TABLES)
def test_any_text_is_read_as_it_was_written_with_quotes_only_where_needed(rows):
    content = parse_csv(written(rows, STRICT, "\r\n", quote_all=False), STRICT)
    assert rows_of(content) == rows
    assert content.broken == []


@given(rows=TABLES, data=st.data())
def test_a_lost_quote_never_goes_unnoticed(rows, data):
    whole = written(rows, STRICT, "\n")
    quotes = [position for position, byte in enumerate(whole) if byte == ord('"')]
    position = data.draw(st.sampled_from(quotes))
    try:
        content = parse_csv(whole[:position] + whole[position + 1 :], STRICT)
    except ValueError as error:
        assert "never closed" in str(error) or "the header" in str(error)  # noqa: PT017
    else:
        assert content.broken
        assert content.first_problem


@given(body=st.text(st.sampled_from('a,\r\n"'), max_size=30), line_end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_text_is_in_rows_or_in_broken(body, line_end):
    try:
        content = parse_csv(f"x,y{line_end}{body}".encode(), STRICT)
    except ValueError as error:
        assert "never closed" in str(error)  # noqa: PT017
    else:
        kept = "".join(content.broken) + "".join(text for row in rows_of(content) for text in row)
        assert kept.count("a") == body.count("a")


@pytest.mark.parametrize(
    ("record", "lines", "problem"),
    [
        ('a,"5 inch\nb,x\nc,"5 inch', ['a,"5 inch', "b,x", 'c,"5 inch'], "text after a closing quote"),
        ('a,5" pipe', ['a,5" pipe'], "a quote within an unquoted field"),
        ('a, "b"', ['a, "b"'], "a quote within an unquoted field"),
        ("a,b\rc", ["a,b", "c"], "a carriage return within an unquoted field"),
        ("a", ["a"], "it has 1 field, the header has 2"),
        ('a,"b\nb",c', ['a,"b', 'b",c'], "it has 3 fields, the header has 2"),
        ("\x1a", ["\x1a"], "it has 1 field, the header has 2"),
    ],
)
def test_what_the_grammar_forbids_is_not_a_row(record, lines, problem):
    content = parse_csv(f'id,note\n1,"x\ny"\n{record}\n2,y\n'.encode(), STRICT)
    assert rows_of(content) == [["1", "x\ny"], ["2", "y"]]
    assert content.broken == lines
    assert content.first_problem == f"line 4: {problem}"


def test_a_line_feed_among_carriage_returns_is_not_a_line_end():
    content = parse_csv(b"id,note\r1,x\r2,y\n3,z\r", STRICT)
    assert rows_of(content) == [["1", "x"]]
    assert content.broken == ["2,y", "3,z"]
    assert content.first_problem == "line 3: a line feed within an unquoted field"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'id,note\n1,x\n2,"y\n3,z\n', "the quote that opens in line 3 is never closed"),
        (b'id,note\n1,x\n2,"y ""z""\n', "the quote that opens in line 3 is never closed"),
        (b'id,"note\n1,x\n', "the quote that opens in line 1 is never closed"),
        (b'\nid,no"te\n', "the header (line 2) is not valid: a quote within an unquoted field"),
        (b"id\n\xe9\n", "line 2 is not utf-8 text (byte 0xe9: "),
    ],
)
def test_a_file_whose_rows_cannot_be_told_apart_is_refused(content, message):
    with pytest.raises(ValueError, match="line") as refusal:
        parse_csv(content, STRICT)
    assert str(refusal.value).startswith(message)


def test_a_row_that_the_parser_loses_is_noticed(monkeypatch):
    read_csv = csv_reader.pa_csv.read_csv
    monkeypatch.setattr(csv_reader.pa_csv, "read_csv", lambda *args: read_csv(*args).slice(1))
    with pytest.raises(ValueError, match=r"the file has . rows by its line ends, but . were read"):
        parse_csv(b"id,note\n" + b"1,x\n" * 3, STRICT)


@pytest.mark.parametrize(
    ("dialect", "content", "rows"),
    [
        (CsvDialect(delimiter="\t"), b"a\tb\n1,5\tx\n", [["1,5", "x"]]),
        (CsvDialect(quote=None), b'a,b\n5" pipe,"x\n', [['5" pipe', '"x']]),
        (CsvDialect(quote="'"), b"a,b\n'1,\n2','it''s'\n", [["1,\n2", "it's"]]),
        (CsvDialect(escape="\\"), b'a,b\n"say \\"hi\\"",x\\,y\n', [['say "hi"', "x,y"]]),
        (CsvDialect(escape="\\"), b'a,b\n"x\\\\",y\n', [["x\\", "y"]]),
        (CsvDialect(encoding="utf-16"), "a,b\n\u00e9,x\n".encode("utf-16"), [["\u00e9", "x"]]),
        (CsvDialect(encoding="cp1252"), b"a,b\n\x80,x\n", [["\u20ac", "x"]]),
        (CsvDialect(skip_lines=2), b'"made by\r\nsep=,\r\na,b\r\n1,2\r\n', [["1", "2"]]),
        (CsvDialect(skip_lines=5), b"a,b\n1,2\n", []),
        (CsvDialect(null_values=["\\N", "NULL"]), b'a,b\n\\N,"\\N"\nNULL,x\n', [["", "\\N"], ["", "x"]]),
    ],
)
def test_a_dialect_is_read_exactly(dialect, content, rows):
    parsed = parse_csv(content, dialect)
    assert rows_of(parsed) == rows
    assert parsed.broken == []


def test_only_needed_columns_are_read_and_rows_are_counted_without_them():
    assert parse_csv(b"a,b,a\n1,2,3\n", STRICT, ["b"]).table.to_pydict() == {"b": ["2"]}
    assert parse_csv(b"a,b,a\n1,2,3\n", STRICT, []).table.num_rows == 1


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"a,b\n1,2\n", ["a", "b"]),
        (b"a,b", ["a", "b"]),
        (b"\xef\xbb\xbfa,b\n", ["a", "b"]),
        (b"\n\na,b\n1\n", ["a", "b"]),
        (b'"a\n\nb",c\n1,2\n', ["a\n\nb", "c"]),
        (b'"a ""quoted"" b",c\r\n1,2\r\n', ['a "quoted" b', "c"]),
    ],
)
def test_the_header_of_a_csv_file_is_read_from_its_first_lines(content, names):
    assert read_csv_header(content, STRICT) == names


def test_a_csv_file_without_lines_has_no_header():
    with pytest.raises(ValueError, match="the file is empty and has no header"):
        read_csv_header(b"", STRICT)


def test_a_value_longer_than_the_blocks_of_arrow_is_read_as_it_was_written():
    text = "z" * ((1 << 20) - 10) + "\r\n" + "y" * (1 << 20)
    contents = [f'id,note\r\n{"x" * shift},"{text}"\r\nb,c\r\n'.encode() for shift in range(4)]
    assert all(rows_of(parse_csv(content, STRICT))[0][1] == text for content in contents)
    assert all(len(after) == len(before) + 1 for before, after in pairwise(contents))
