"""The scan counts the same records, whatever its windows."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion import csv_records
from ml_assets.core.ingestion.csv_grammar import RecordGrammar, UnclosedQuote
from ml_assets.core.ingestion.csv_records import RecordScanner
from ml_assets.core.model_spec.types.csv_dialect import CsvDialect


def scan(text: str, window: int, monkeypatch) -> tuple[int, list[tuple[int, int, str | None]]] | int:
    """Return the number of rows and the broken records, or the position of a quote that is never closed."""
    monkeypatch.setattr(csv_records, "_WINDOW", window)
    try:
        spans = list(RecordScanner(RecordGrammar(CsvDialect()), text.encode(), 2).scan(0))
    except UnclosedQuote as error:
        return error.position
    assert all(first.end == second.start for first, second in pairwise(spans))
    return sum(span.rows for span in spans), [(span.start, span.end, span.problem) for span in spans if span.problem]


def test_windows_of_any_size_give_the_same_records(monkeypatch):
    @given(text=st.text(st.sampled_from('ab,,\r\n"'), max_size=40), window=st.integers(1, 12))
    def check(text, window):
        assert scan(text, window, monkeypatch) == scan(text, 1 << 18, monkeypatch)

    check()


def test_rows_and_broken_records_are_told_apart(monkeypatch):
    text = 'a,b\r\n"c\n",d\n\n1\n1,2,3\nx,"y"z\ne,f'
    problems = ["it has 1 field, the header has 2", "it has 3 fields, the header has 2", "text after a closing quote"]
    scanned = scan(text, 1 << 18, monkeypatch)
    assert isinstance(scanned, tuple)
    assert scanned[0] == 3
    assert [problem for _, _, problem in scanned[1]] == problems


def test_many_quotes_are_paired_over_words_of_bits(monkeypatch):
    rows = "".join(f'"{"x," * (number % 70)}","{number}"\n' for number in range(500))
    assert scan(rows, 1 << 18, monkeypatch) == (500, [])
