"""Bytes are text where they mean text, and what is not Unicode is written with escapes."""

import pyarrow as pa
import pytest

from ml_assets.core.ingestion.values.text_decoding import decode, escape, recognize_wide_encoding


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\u00fc\U0010ffff", "a\u00fc\U0010ffff"),
        ("x\ud83d", "x\\ud83d"),
        ("M\udcfcller", "M\\xfcller"),
        ("\udcfc\ud800", "\\udcfc\\ud800"),
    ],
)
def test_text_that_is_not_unicode_is_escaped(text, escaped):
    assert escape(text) == escaped


def test_bytes_are_text_without_control_characters():
    texts, unreadable = decode(pa.array([b"a\tb", b"\x01", b"\xff", None]))
    assert texts.to_pylist() == ["a\tb", None, None, None]
    assert unreadable is not None
    suffix = "(bytes that are not UTF-8 text)"
    assert unreadable.to_pylist() == [None, f"0x01 {suffix}", f"0xff {suffix}", None]


def test_control_characters_of_text_stay():
    texts, unreadable = decode(pa.array(["\x00a"]))
    assert (texts.to_pylist(), unreadable) == (["\x00a"], None)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("id,amount".encode("utf-16"), "utf-16 or utf-32"),
        ("id,amount".encode("utf-16-le"), "utf-16-le"),
        ("id,amount".encode("utf-16-be"), "utf-16-be"),
        (b"id,amount", None),
        ("\ufeffid,amount".encode(), None),
        (bytes(20), None),
        (b"", None),
    ],
)
def test_text_of_two_bytes_a_character_is_recognized_with_and_without_a_byte_order_mark(content, encoding):
    assert recognize_wide_encoding(content) == encoding
