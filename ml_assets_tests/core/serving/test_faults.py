"""The answer to a request that breaks the contract is short, whatever the client sends."""

import json

from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.json_reader import NumberLiteral, UnreadableText
from ml_assets.core.serving.faults import MAX_BYTES, fault_of, list_faults
from ml_assets.core.serving.row_parser import Converted

VALUES = st.none() | st.booleans() | st.floats() | st.text() | st.text(st.characters(), min_size=300)


def fault(**details) -> dict:
    return fault_of({"type": "number", "loc": ["amount"], "msg": "cannot be read", "input": "x", **details})


def test_values_names_and_messages_are_shortened():
    shortened = fault(loc=["earlier_rows", 3, "x" * 1_000], msg="y" * 1_000, input="z" * 1_000)
    assert shortened["loc"] == ["body", "earlier_rows", 3, "x" * 100]
    assert (len(shortened["msg"]), len(shortened["input"])) == (300, 200)


def test_a_value_is_shown_as_it_was_sent():
    values = [NumberLiteral("7"), NumberLiteral("7.0"), UnreadableText("NaN"), ["a"], {"a": 1}, Converted("x", 1, True)]
    shown = [fault(input=value)["input"] for value in values]
    assert shown == [7, "7.0", "NaN", '["a"]', "an object with 1 field", "x"]


def test_faults_beyond_the_first_are_counted():
    listed = list_faults([fault()] * 3, total=2_003)
    assert [entry["msg"] for entry in listed] == ["cannot be read"] * 3 + ["and 2,000 more"]
    assert list_faults([fault()], total=1_001, is_complete=False)[-1]["msg"] == "and at least 1,000 more"
    assert list_faults([fault()], total=1) == [fault()]


@given(st.lists(st.tuples(st.text(st.characters()), st.text(st.characters(), min_size=200), VALUES), max_size=20))
def test_a_list_of_faults_has_a_few_kilobytes(parts):
    faults = [fault(loc=[name * 30], msg=message * 3, input=value) for name, message, value in parts]
    listed = list_faults(faults, len(faults))
    text = json.dumps(listed, allow_nan=False)
    assert len(text) < MAX_BYTES + 500
    assert not faults or listed[0] == faults[0]
    text.encode()
