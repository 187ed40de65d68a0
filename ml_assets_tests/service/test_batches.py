"""Rows of one iteration of the event loop are scored in one call of each model."""

import asyncio

import pytest

from ml_assets.service.batches import Batches


class Model:
    """A model whose score is a tenth of the first value; it counts the rows of each call."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def predict(self, rows: list[list[float]]) -> list[float]:
        self.calls.append(len(rows))
        if any(row[0] < 0 for row in rows):
            raise ValueError("below zero")
        return [row[0] / 10 for row in rows]


def test_rows_that_arrive_together_share_one_call_of_their_model():
    async def ask() -> list[float]:
        batches = Batches()
        together = await asyncio.gather(
            *(
                batches.predict(model, [value])
                for model, value in [(first_model, 1.0), (second_model, 2.0), (first_model, 3.0)]
            )
        )
        return [*together, await batches.predict(first_model, [4.0])]

    first_model, second_model = Model(), Model()
    assert asyncio.run(ask()) == [0.1, 0.2, 0.3, 0.4]
    assert (first_model.calls, second_model.calls) == ([2, 1], [1])


def test_a_model_that_fails_fails_only_its_own_rows():
    async def ask() -> tuple:
        batches = Batches()
        results = await asyncio.gather(
            batches.predict(first_model, [-1.0]), batches.predict(second_model, [2.0]), return_exceptions=True
        )
        return *results, await batches.predict(first_model, [5.0])

    first_model, second_model = Model(), Model()
    error, good, later = asyncio.run(ask())
    assert str(error) == "below zero"
    assert (good, later) == (0.2, 0.5)


def test_a_cancelled_request_does_not_affect_others_in_its_batch():
    async def ask() -> float:
        batches = Batches()
        cancelled, pending = batches.predict(model, [1.0]), batches.predict(model, [2.0])
        cancelled.cancel()
        return await pending

    model = Model()
    assert asyncio.run(ask()) == pytest.approx(0.2)
