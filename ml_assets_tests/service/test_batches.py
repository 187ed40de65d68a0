"""Rows of one turn of the event loop are scored in one call, each by its model."""

import asyncio

import pytest

from ml_assets.service.batches import Batches


class Model:
    """Scores are a tenth of the cell; calls are kept."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def score(self, rows: list[list[float]]) -> list[float]:
        self.calls.append(len(rows))
        if any(row[0] < 0 for row in rows):
            raise ValueError("below zero")
        return [row[0] / 10 for row in rows]


def test_rows_that_come_together_share_a_call_of_their_model():
    async def ask() -> list[float]:
        batches = Batches()
        together = await asyncio.gather(
            *(batches.score(model, [value]) for model, value in [(one, 1.0), (other, 2.0), (one, 3.0)])
        )
        return [*together, await batches.score(one, [4.0])]

    one, other = Model(), Model()
    assert asyncio.run(ask()) == [0.1, 0.2, 0.3, 0.4]
    assert (one.calls, other.calls) == ([2, 1], [1])


def test_a_model_that_fails_tells_its_own_rows_and_the_next_ones_are_scored():
    async def ask() -> tuple:
        batches = Batches()
        first = await asyncio.gather(batches.score(one, [-1.0]), batches.score(other, [2.0]), return_exceptions=True)
        return *first, await batches.score(one, [5.0])

    one, other = Model(), Model()
    error, good, later = asyncio.run(ask())
    assert str(error) == "below zero"
    assert (good, later) == (0.2, 0.5)


def test_who_hung_up_is_left_out_of_nothing_else():
    async def ask() -> float:
        batches = Batches()
        gone, stays = batches.score(model, [1.0]), batches.score(model, [2.0])
        gone.cancel()
        return await stays

    model = Model()
    assert asyncio.run(ask()) == pytest.approx(0.2)
