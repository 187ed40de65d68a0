"""Request bodies are parsed within bounds: each excess is one fault, said in one sentence."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.json_reader import loads
from ml_assets.core.serving.body_parser import InvalidBody, parse_body
from ml_assets.core.serving.request_limits import RequestLimits

LIMITS = RequestLimits(earlier_rows=5, fields=4, depth=4, characters=30)
MANY = RequestLimits(earlier_rows=10**6, fields=10**6, depth=50, characters=10**6)


def fault(body: bytes, limits: RequestLimits = LIMITS) -> str:
    with pytest.raises(InvalidBody) as refused:
        parse_body(body, limits)
    assert len(refused.value.reason) < 300
    assert refused.value.reason.count(". ") == 0
    return refused.value.kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "json_invalid"),
        (b'{"a": 1', "json_invalid"),
        (b'{"a": 1} x', "json_invalid"),
        (b'{"a": 1}\x00', "json_invalid"),
        (b'{"a": "\xfc"}', "json_invalid"),
        (b'\xef\xbb\xbf{"a": 1}', "json_invalid"),
        ('{"a": 1}'.encode("utf-16"), "json_invalid"),
        (b'{"a": 1, "a": 1}', "repeated_name"),
        (b'{"b": [{"a": 1, "a": 2}]}', "repeated_name"),
        (b'{"a": "x\\u0000y"}', "nul"),
        (b'{"b": [{"x\\u0000": 1}]}', "nul"),
        (b'{"a": [1, 2, 3, 4, 5, 6]}', "too_many_rows"),
        (b'{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}', "too_many_fields"),
        (b'{"a": [[[[1]]]]}', "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b'{"a": "' + b"x" * 31 + b'"}', "too_long"),
        (b'{"a": ' + b"9" * 33 + b"}", "too_long"),
        (b'{"' + b"x" * 31 + b'": 1}', "too_long"),
        (b'{"a": "' + b'\\"' * 100, "too_long"),
    ],
)
def test_each_excess_is_one_fault(body, kind):
    assert fault(body) == kind


def test_what_is_within_the_limits_is_parsed():
    body = b'{"a": [1, 2, 3, 4, 5], "b": {"c": {"d": 1}}, "text": "' + b"x" * 30 + b'", "e": "[[[[[{,,,,,"}'
    assert parse_body(body, LIMITS) == loads(body.decode())
    assert parse_body(b'{"a": "\\\\u0000"}', LIMITS) == {"a": "\\u0000"}


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="\0")), st.lists)
)
def test_json_is_read_as_that_of_landed_files(value):
    text = json.dumps({"value": value})
    assert parse_body(text.encode("utf-8", "surrogatepass"), MANY) == loads(text)


@pytest.mark.parametrize(
    "body",
    [
        b'{"earlier_rows": [' + b"{}," * 240_000 + b"{}]}",
        b'"' * 700_000,
        b'{"a": "' + b'\\"' * 350_000,
        b" " * 700_000,
        b"{" + b'"a": 1, ' * 80_000 + b'"b": 1}',
    ],
)
def test_a_large_body_is_refused_quickly(body):
    begun = time.process_time()
    fault(body, RequestLimits())
    assert time.process_time() - begun < 1
