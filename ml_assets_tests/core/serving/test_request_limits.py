"""The limits of a request are those of its reader."""

import json

import pytest

from ml_assets.core.serving.request import InvalidRequest, RequestReader
from ml_assets.core.serving.request_limits import RequestLimits
from ml_assets_tests.core.features.feature_cases import spec_with

SPEC = spec_with({"kind": "column", "columns": ["amount"]})
ROW = {"id": 7, "time": "2025-01-10T10:00:00Z"}


def refusal(limits: RequestLimits, **fields) -> str:
    with pytest.raises(InvalidRequest) as refused:
        RequestReader(SPEC, limits).read(json.dumps(ROW | fields).encode())
    (error,) = refused.value.errors
    return error["type"]


def test_the_number_of_earlier_rows_is_bounded():
    earlier = [{"id": number, "time": "2025-01-10T09:00:00Z"} for number in range(3)]
    assert refusal(RequestLimits(earlier_rows=2), earlier_rows=earlier) == "too_many_rows"
    read = RequestReader(SPEC, RequestLimits(earlier_rows=3)).read(json.dumps(ROW | {"earlier_rows": earlier}).encode())
    assert len(read.earlier) == 3


def test_a_row_may_always_have_all_columns_of_the_contract():
    fields = {"card": 3, "shop": "a", "amount": 1.0, "online": True, "earlier_rows": [ROW | {"id": 1}]}
    assert RequestReader(SPEC, RequestLimits(fields=1)).read(json.dumps(ROW | fields).encode()).row["card"] == 3
    assert refusal(RequestLimits(fields=1), **{f"x{number}": 1 for number in range(20)}) == "too_many_fields"


def test_the_schema_states_the_number_of_earlier_rows():
    schema = RequestReader(SPEC, RequestLimits(earlier_rows=12)).json_schema()
    assert schema["properties"]["earlier_rows"]["maxItems"] == 12
