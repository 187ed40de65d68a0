"""The path from a body to a score, with a fixed clock, features and a model that only count."""

import asyncio
import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ml_assets.core.serving.online_features import RowTooOld
from ml_assets.core.serving.request import InvalidRequest, ScoreRequest
from ml_assets.service.limits import Limits
from ml_assets.service.responses import RequestRejected
from ml_assets.service.scoring import Scoring
from ml_assets_tests.core.features.feature_cases import spec_with

SPEC = spec_with({"kind": "column", "columns": ["amount"]})
NOW = datetime(2025, 1, 10, 12, tzinfo=UTC)
ROW = {"id": 7, "time": "2025-01-10T10:00:00Z"}


class Features:
    is_slow, through_text = False, "2025-01-09"

    def __init__(self) -> None:
        self.threads: list[str] = []

    def compute(self, row: Any, earlier: Sequence[Any]) -> dict[str, float]:
        self.threads.append(threading.current_thread().name)
        if row["time"].year < 2025:
            raise RowTooOld("the row is too old")
        return {"amount": len(earlier)}


class Model:
    def encode(self, values: dict[str, float]) -> list[float]:
        return [values["amount"]]

    def predict(self, rows: list[list[float]]) -> list[dict[str, object]]:
        return [{"score": 0.5, "decision": False}] * len(rows)


def scoring_of(features: Features, **limits: Any) -> Scoring:
    version = SimpleNamespace(model=Model(), version=1)
    models = SimpleNamespace(route=lambda *_: ("champion", version))
    loader: Any = SimpleNamespace(models=models)
    history: Any = SimpleNamespace(features=features)
    return Scoring(SPEC, loader, history, lambda: NOW, Limits(**limits))


def score(scoring: Scoring, **fields: Any) -> float:
    return asyncio.run(scoring.score(json.dumps(ROW | fields).encode(), 0, "client")).predicted["score"]


def earlier_rows(number: int) -> list[dict]:
    return [{"id": 100 + position, "time": "2025-01-10T09:00:00Z"} for position in range(number)]


@pytest.mark.parametrize(
    ("fields", "kind", "location"),
    [
        ({"time": "2025-01-11T12:00:01Z"}, "too_new", ["body", "time"]),
        ({"time": "9999-12-31T23:59:59Z"}, "too_new", ["body", "time"]),
        (
            {"earlier_rows": [*earlier_rows(1), {"id": 1, "time": "2060-01-01T00:00:00Z"}]},
            "too_new",
            ["body", "earlier_rows", 1, "time"],
        ),
        ({"time": "1970-01-01T00:00:00Z"}, "too_old", ["body", "time"]),
    ],
)
def test_a_row_far_from_the_present_is_refused(fields, kind, location):
    with pytest.raises(InvalidRequest) as refused:
        score(scoring_of(Features()), **fields)
    (error,) = refused.value.errors
    assert (error["type"], error["loc"]) == (kind, location)


def test_how_far_a_row_may_lie_in_the_future_is_a_setting():
    assert score(scoring_of(Features()), time="2025-01-11T12:00:00Z") == 0.5
    assert score(scoring_of(Features(), future_seconds=60), time="2025-01-10T12:01:00Z") == 0.5
    with pytest.raises(InvalidRequest, match="more than 1m after the present time of the service"):
        score(scoring_of(Features(), future_seconds=60), time="2025-01-10T12:01:01Z")


class OtherReader:
    """Stands for the process that reads large requests: it counts them, and reads when it may."""

    def __init__(self, scoring: Scoring) -> None:
        self.bodies: list[bytes] = []
        self.may_read = asyncio.Event()
        self.may_read.set()
        self._reader = scoring.reader
        scoring._reader_process = self  # type: ignore[assignment]

    async def read(self, body: bytes) -> ScoreRequest:
        self.bodies.append(body)
        await self.may_read.wait()
        return self._reader.read(body)


def test_large_requests_are_read_and_computed_beside_the_event_loop():
    features = Features()
    scoring = scoring_of(features)
    other = OtherReader(scoring)
    assert score(scoring) == 0.5
    assert score(scoring, earlier_rows=earlier_rows(500)) == 0.5
    assert len(other.bodies) == 1
    assert features.threads[0] == threading.current_thread().name
    assert features.threads[1].startswith("slow-features")


@pytest.mark.parametrize("time", ["2025-01-10 10:00", "2025-01-10"])
def test_values_that_take_milliseconds_are_read_there_too(time):
    scoring = scoring_of(Features())
    other = OtherReader(scoring)
    assert score(scoring, time=time) == score(scoring) == 0.5
    assert [json.loads(body)["time"] for body in other.bodies] == [time]


def test_small_requests_are_answered_while_large_ones_are_read():
    scoring = scoring_of(Features(), large_requests=4)

    async def send() -> None:
        other = OtherReader(scoring)
        other.may_read.clear()
        large = json.dumps(ROW | {"earlier_rows": earlier_rows(500)}).encode()
        waiting = [asyncio.create_task(scoring.score(large, 0, f"client {number}")) for number in range(4)]
        while len(other.bodies) < 4:
            await asyncio.sleep(0)
        # A small request is answered meanwhile, a fifth large one is not even kept.
        assert (await scoring.score(json.dumps(ROW).encode(), 0, "client")).predicted["score"] == 0.5
        with pytest.raises(RequestRejected, match="too many large requests"):
            await scoring.score(large, 0, "client 5")
        other.may_read.set()
        assert [(await task).predicted["score"] for task in waiting] == [0.5] * 4

    asyncio.run(send())
