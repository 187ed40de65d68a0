"""Batches of rows from simultaneous requests, because XGBoost takes little longer for ten rows than for one."""

import asyncio

from ml_assets.core.serving.online_scorer import OnlineScorer

Predicted = dict[str, object]


class Batches:
    """Collects the rows of one iteration of the event loop by model, so that no request waits for others to arrive."""

    def __init__(self) -> None:
        self._pending: dict[OnlineScorer, list[tuple[list[float], asyncio.Future[Predicted]]]] = {}

    def predict(self, model: OnlineScorer, encoded: list[float]) -> "asyncio.Future[Predicted]":
        """Return the future prediction for a row; it is set at the end of this iteration of the event loop.

        Args:
            model: the model that scores the row.
            encoded: the row, encoded by the model.
        """
        loop = asyncio.get_running_loop()
        if not self._pending:
            loop.call_soon(self._score_all)
        future = loop.create_future()
        self._pending.setdefault(model, []).append((encoded, future))
        return future

    def _score_all(self) -> None:
        pending, self._pending = self._pending, {}
        for model, entries in pending.items():
            try:
                predictions = model.predict([encoded for encoded, _ in entries])
            # Each request of the batch gets the error, and the event loop continues.
            except Exception as error:
                for _, future in entries:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), predicted in zip(entries, predictions, strict=True):
                # The future is cancelled if the client has disconnected.
                if not future.done():
                    future.set_result(predicted)
