"""Rows of requests that arrive together are scored together: a call of XGBoost takes little longer for ten rows than
for one.
"""

import asyncio

from ml_assets.core.serving.online_scorer import OnlineScorer


class Batches:
    """Gathers the rows of one turn of the event loop, by model. Nobody waits for others to come."""

    def __init__(self) -> None:
        self._waiting: dict[OnlineScorer, list[tuple[list[float], asyncio.Future[float]]]] = {}

    def score(self, model: OnlineScorer, cells: list[float]) -> "asyncio.Future[float]":
        """The score of a row that the model has encoded, when this turn of the loop is over."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._score_all)
        future = loop.create_future()
        self._waiting.setdefault(model, []).append((cells, future))
        return future

    def _score_all(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for model, entries in waiting.items():
            try:
                scores = model.score([cells for cells, _ in entries])
            # Each of the requests is told, and the loop goes on.
            except Exception as error:
                for _, future in entries:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), score in zip(entries, scores, strict=True):
                # Whoever hung up meanwhile is not told.
                if not future.done():
                    future.set_result(score)
