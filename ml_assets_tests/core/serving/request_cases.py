"""Served requests of the small specification, for tests of their capture."""

from datetime import UTC, datetime, timedelta

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.serving.captured_requests import ServedRequest
from ml_assets_tests.conftest import SMALL

MOMENT = datetime(2025, 1, 10, 12, tzinfo=UTC)


def spec_with(**capture) -> ModelSpec:
    """Return the small specification with a capture."""
    return ModelSpec.model_validate({**SMALL, "deployment": {"capture": capture}})


def request(number: int, **row) -> ServedRequest:
    """Return a request of the noon of 2025-01-10, with an ID of its own."""
    features = {"amount": 5.0 + number, "count_by_card_1d": 2.0, "amount_mean_by_card_1d": float("nan")}
    values = {"id": number, "event_time": MOMENT, "card": f"card-{number}", "amount": 5.0 + number, **row}
    answer = {"score": 0.25, "decision": False}
    return ServedRequest(
        f"r{number}", MOMENT + timedelta(seconds=number), values, features, answer, 3, "champion", "2025-01-09"
    )
