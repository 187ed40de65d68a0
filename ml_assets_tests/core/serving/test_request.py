"""Requests are validated by the contract, and every error names its field as in FastAPI."""

import json
from datetime import UTC, datetime

import pytest

from ml_assets.core.serving.request import InvalidRequest, RequestReader
from ml_assets_tests.core.features.feature_cases import spec_with

SPEC = spec_with({"kind": "column", "columns": ["amount"]})
READER = RequestReader(SPEC)
ROW = {"id": 7, "time": "2025-01-10T10:00:00Z", "card": 3, "shop": "a"}


def read(**changes):
    return READER.read(json.dumps(ROW | changes).encode())


def faults(body: bytes) -> list[tuple]:
    with pytest.raises(InvalidRequest) as refused:
        READER.read(body)
    return [(fault["type"], *fault["loc"], fault["msg"]) for fault in refused.value.errors]


def test_a_row_is_typed_and_columns_that_may_be_missing_are_none():
    requested = read(card="4")
    assert requested.row == {
        "id": 7,
        "time": datetime(2025, 1, 10, 10, tzinfo=UTC),
        "card": 4,
        "shop": "a",
        "amount": None,
        "online": None,
    }
    assert requested.earlier == []


def test_earlier_rows_have_the_form_of_the_row():
    requested = read(earlier_rows=[{"id": 6, "time": "2025-01-10T09:00:00Z", "amount": 2}])
    assert requested.earlier == [
        {
            "id": 6,
            "time": datetime(2025, 1, 10, 9, tzinfo=UTC),
            "card": None,
            "shop": None,
            "amount": 2.0,
            "online": None,
        }
    ]
    assert "earlier_rows" not in requested.row


def test_every_violation_is_reported_with_its_field():
    assert faults(
        json.dumps(
            {"id": "x", "card": 1.5, "label": 1, "colour": 2, "earlier_rows": [{"id": 1, "time": "noon"}]}
        ).encode()
    ) == [
        ("integer", "body", "id", "cannot be read as integer"),
        ("missing", "body", "time", "Field required"),
        ("integer", "body", "card", "cannot be read as integer"),
        ("timestamp", "body", "earlier_rows", 0, "time", "cannot be read as timestamp"),
        ("extra_forbidden", "body", "label", "Extra inputs are not permitted"),
        ("extra_forbidden", "body", "colour", "Extra inputs are not permitted"),
    ]


@pytest.mark.parametrize(
    ("body", "kind"), [(b"", "json_invalid"), (b"{", "json_invalid"), (b"[]", "dict_type"), (b"\xff", "json_invalid")]
)
def test_a_body_that_is_no_object_is_refused(body, kind):
    ((result, where, _),) = faults(body)
    assert (result, where) == (kind, "body")


def test_input_values_are_valid_json_and_short():
    with pytest.raises(InvalidRequest) as refused:
        READER.read(b'{"id": Infinity, "time": "' + b"x" * 1000 + b'"}')
    displayed = [fault["input"] for fault in refused.value.errors]
    assert displayed == ["Infinity", "x" * 200]
    json.dumps(refused.value.errors, allow_nan=False)


@pytest.mark.parametrize(
    ("literal", "shown"),
    [
        ("-1.5", "-1.5"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 200),
        ("NaN", "NaN"),
        ('"\\ud800"', "\\ud800"),
        ("[1.10]", "[1.10]"),
    ],
)
def test_refused_values_are_shown_as_they_were_sent(literal, shown):
    with pytest.raises(InvalidRequest) as refused:
        READER.read(f'{{"id": {literal}, "time": "2025-01-10T10:00:00Z"}}'.encode())
    assert [fault["input"] for fault in refused.value.errors] == [shown]


def test_integers_are_shown_as_integers():
    with pytest.raises(InvalidRequest) as refused:
        read(online=7)
    assert refused.value.errors[0]["input"] == 7


@pytest.mark.parametrize(
    "fields", ['"card": 4', '"card": 3', '"colour": {"card": 1, "card": 1}', '"earlier_rows": [{"card": 1, "card": 2}]']
)
def test_a_name_that_stands_twice_is_refused_at_every_level(fields):
    body = json.dumps(ROW).encode()[:-1] + f", {fields}}}".encode()
    assert faults(body) == [("repeated_name", "body", "the name card occurs twice in an object")]


@pytest.mark.parametrize(
    "twice", [[{"id": 7, "time": "2025-01-10T09:00:00Z"}], [{"id": 6, "time": "2025-01-10T09:00:00Z"}] * 2]
)
def test_a_repeated_row_key_is_refused(twice):
    assert faults(json.dumps(ROW | {"earlier_rows": twice}).encode())[0][:2] == ("row_key", "body")


def test_braces_in_a_pattern_are_reported_unchanged():
    spec = spec_with(
        {"kind": "column", "columns": ["amount"]},
        columns={**SPEC.columns, "code": {"type": "string", "pattern": "[a-z]{2}"}},
    )
    with pytest.raises(InvalidRequest, match=r"body\.code: does not match \[a-z\]\{2\}"):
        RequestReader(spec).read(json.dumps(ROW | {"code": "abc"}).encode())


def test_columns_may_have_any_name_but_that_of_the_earlier_rows():
    named = {**SPEC.columns, "json": {"type": "string"}, "copy": {"type": "string"}, "model_y": {"type": "string"}}
    reader = RequestReader(spec_with({"kind": "column", "columns": ["amount"]}, columns=named))
    assert reader.read(json.dumps(ROW | {"json": "a", "copy": "b", "model_y": "c"}).encode()).row["copy"] == "b"
    with pytest.raises(ValueError, match=r"columns\.earlier_rows"):
        RequestReader(
            spec_with(
                {"kind": "column", "columns": ["amount"]}, columns={**SPEC.columns, "earlier_rows": {"type": "string"}}
            )
        )


def test_the_schema_has_columns_rules_and_optional_fields():
    schema = READER.json_schema()
    assert schema["required"] == ["id", "time"]
    assert schema["properties"]["time"]["format"] == "date-time"
    assert schema["additionalProperties"] is False


def test_a_request_has_no_column_that_is_known_later_than_its_row():
    columns = {name: column.model_dump() for name, column in SPEC.columns.items()}
    columns["amount"] = {**columns["amount"], "known_after": "1d"}
    late = spec_with({"kind": "calendar", "parts": ["hour"]}, columns=columns)
    assert "amount" not in RequestReader(late).read(json.dumps(ROW).encode()).row
    with pytest.raises(InvalidRequest, match="amount"):
        RequestReader(late).read(json.dumps({**ROW, "amount": 2.0}).encode())
