"""Served requests name columns that a request has; the row key and the time of the event are never hashed."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.conftest import SMALL


def spec_with(columns: dict | None = None, entity: str = "card", **capture) -> ModelSpec:
    fields = {**SMALL, "columns": {**SMALL["columns"], **(columns or {})}, "entity": entity}
    return ModelSpec.model_validate({**fields, "deployment": {"capture": capture}})


def test_a_request_has_every_identity_column_but_the_target():
    assert spec_with(hashed=["card"], leave_out=["amount"]).request_columns() == ["id", "event_time", "card"]


@pytest.mark.parametrize(
    ("capture", "message"),
    [
        (
            {"hashed": ["id"]},
            "deployment.capture.hashed: not possible: id; choose from card. The row key and the event time",
        ),
        ({"hashed": ["amount"]}, "deployment.capture.hashed: not possible: amount; choose from card"),
        (
            {"leave_out": ["event_time"]},
            "deployment.capture.leave_out: not possible: event_time; choose from card, amount",
        ),
        ({"leave_out": ["nothing"]}, "deployment.capture.leave_out: not possible: nothing; choose from"),
        ({"hashed": ["card"], "leave_out": ["card"]}, "deployment.capture: both hashed and left out: card"),
    ],
)
def test_other_names_are_refused(capture, message):
    with pytest.raises(ValidationError) as refused:
        spec_with(**capture)
    assert message in str(refused.value)


def test_a_column_with_a_name_of_the_table_has_to_be_left_out():
    columns = {"request_id": {"type": "string"}}
    with pytest.raises(ValidationError, match="served_requests itself has a column request_id"):
        spec_with(columns, entity="request_id")
    assert spec_with(columns, entity="request_id", leave_out=["request_id"]).deployment.capture
