"""Values of JSON lines are the text in the file, and a broken line counts as the number of objects in it."""

import json

import pytest

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.ingestion.json_lines import parse_json_lines


def test_numbers_keep_their_digits():
    line = (
        b'{"a": 1.10, "b": 12345678901234567890123, "c": -0, "d": 1E400, "e": [1.50, {"f": 2.0}], "g": true, "h": null}'
    )
    (row,) = parse_json_lines(line).table.to_pylist()
    assert row == {
        "a": "1.10",
        "b": "12345678901234567890123",
        "c": "-0",
        "d": "1E400",
        "e": '[1.50, {"f": 2.0}]',
        "g": "true",
        "h": None,
    }


def test_nan_is_missing_and_infinities_are_unreadable():
    file = parse_json_lines(b'{"a": NaN, "b": -Infinity}\n{"a": "NaN", "b": "x"}\n')
    assert file.table.to_pylist() == [{"a": None, "b": None}, {"a": "NaN", "b": "x"}]
    assert {name: texts.to_pylist() for name, texts in file.unreadable.items()} == {"b": ["-Infinity", None]}


def test_a_name_that_occurs_twice_with_different_values_is_unreadable():
    file = parse_json_lines(b'{"a": 1, "b": 2, "a": "1"}\n{"a": 3, "a": 3}\n')
    assert file.table.to_pylist() == [{"a": None, "b": "2"}, {"a": "3", "b": None}]
    assert file.unreadable["a"].to_pylist() == ['1 and "1"', None]


@pytest.mark.parametrize(
    ("text", "kept"),
    [(b"thanks \\ud83d", "thanks \\ud83d"), (b"M\xfcller", "M\\xfcller"), (b"\\udc00\\ud800", "\\udc00\\ud800")],
)
def test_text_that_is_not_unicode_is_one_unreadable_value(make_spec, text, kept):
    line = b'{"id": 1, "event_time": "2025-01-01T10:00:00", "card": "%s", "amount": 1.5, "label": 0, "%s": 1}\n'
    file = read_landed_file(make_spec(), "a.jsonl", line % (b"A", b"x") + line % (text, text))
    assert file.fault is None
    assert file.rows is not None
    assert file.rows["card"].to_pylist() == ["A", None]
    assert file.rows["_unreadable_values"].to_pylist() == [None, json.dumps({"card": kept})]


@pytest.mark.parametrize(
    ("line", "rows", "broken"),
    [
        ('{"a": 1}{"a": 2} {"a": 3}\r', 3, []),
        ('{"a": 1}\r{"a": 2}\r', 2, []),
        ('{"a": 1}{"a": 2', 1, ['{"a": 2']),
        ('{"a": 1}{"a": x}{"a": 2}, {"a": 3}', 1, ['{"a": x}', '{"a": 2}', '{"a": 3}']),
        ('[{"a": 1}, {"a": {"b": 2}}]', 0, ['{"a": 1}', '{"a": {"b": 2}}']),
        ('[{"a": 1}, {"a": 2}, {"a"', 0, ['[{"a": 1}', '{"a": 2}', '{"a"']),
        ('{"items": [{"a": 1}, {"a": 2}', 0, ['{"items": [{"a": 1}', '{"a": 2}']),
        ("[]", 0, ["[]"]),
        ("12", 0, ["12"]),
        ("no row", 0, ["no row"]),
        ("[" * 90, 0, ["[" * 90]),
    ],
)
def test_a_line_counts_by_the_objects_that_it_holds(line, rows, broken):
    file = parse_json_lines(line.encode())
    assert (file.table.num_rows, file.broken) == (rows, broken)


def test_values_may_be_nested():
    file = parse_json_lines(b'{"a": ' + b"[" * 90 + b"]" * 90 + b', "b": 1}')
    assert file.table.to_pylist() == [{"a": "[" * 90 + "]" * 90, "b": "1"}]


@pytest.mark.parametrize(
    ("literal", "integer"),
    [("1.0E7", 10**7), ("1e3", 1000), ("-12.5e1", -125), ("1.25e1", None), ("1e-99", None), ('"1e3"', None)],
)
def test_whole_numbers_with_an_exponent_are_integers_and_text_is_not(make_spec, literal, integer):
    rows = read_landed_file(make_spec(), "a.jsonl", f'{{"id": {literal}, "card": {literal}}}'.encode()).rows
    assert rows is not None
    assert rows["id"].to_pylist() == [integer]
    assert rows["card"].to_pylist() == [literal.strip('"')]


def test_blocks_of_lines_give_the_same_columns(monkeypatch):
    text = b'\xef\xbb\xbf{"a": 1}\n\n{"b": 1.0E7, "a": Infinity}\r\n{"c": {"d": [1]}}\nx\n{"a": "\xff"}'
    whole = parse_json_lines(text)
    for size in range(1, 40):
        monkeypatch.setattr("ml_assets.core.ingestion.json_lines._BLOCK", size)
        file = parse_json_lines(text)
        assert file.table.to_pylist() == whole.table.to_pylist()
        assert (file.columns, file.broken, file.unreadable, file.integers) == (*whole[1:4], whole.integers)
