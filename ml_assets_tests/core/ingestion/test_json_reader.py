"""Values of JSON keep the text of their numbers, and a name that occurs twice is read in linear time."""

import time

from ml_assets.core.ingestion.json_reader import ExponentLiteral, NumberLiteral, UnreadableText, decode_at, loads


def test_numbers_are_their_text():
    value = loads('{"a": 1.10, "b": 1E2, "c": NaN, "d": -Infinity, "e": "1"}')
    assert value == {"a": "1.10", "b": "1E2", "c": None, "d": UnreadableText("-Infinity"), "e": "1"}
    assert [type(member) for member in value.values()][:2] == [NumberLiteral, ExponentLiteral]


def test_names_that_occur_twice_take_linear_time():
    text = "{" + ",".join(f'"k{number}": 1' for number in range(50_000)) + ', "k7": 2, "k8": 1}'
    begin = time.process_time()
    value = loads(text)
    assert time.process_time() - begin < 2
    assert (len(value), value["k7"], value["k8"]) == (50_000, UnreadableText("1 and 2"), "1")


def test_a_value_ends_before_the_text_does():
    assert decode_at('x {"a": 1} y', 2) == ({"a": "1"}, 10)
