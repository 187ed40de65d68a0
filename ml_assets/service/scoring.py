"""The path from the body of a request to a score: parse, compute features, route to a side, score."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.durations import format_duration
from ml_assets.core.serving.online_features import RowTooOld
from ml_assets.core.serving.request import InvalidRequest, RequestReader
from ml_assets.service.batches import Batches
from ml_assets.service.history import HistoryCache
from ml_assets.service.model_loader import ModelLoader

CLOCK_DIFFERENCE = timedelta(days=1)
"""How far the time of a row may lie after the clock of the service: clocks differ, and so do time zones that somebody
mistook. A batch takes no row outside its day."""


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class NotReady(Exception):
    """No request can be scored yet; the message says what is missing."""


@dataclass(frozen=True)
class ScoreResponse:
    """The response to a request.

    score: probability of the positive class. model_version: number in the registry. features_through: newest day of
    history that the features saw. reasons: None if none were requested.
    """

    score: float
    decision: bool
    model_version: int
    side: str
    features_through: str
    reasons: list[dict[str, Any]] | None


class Scoring:
    """Scores requests of one model with the models and the history that are loaded at the moment."""

    def __init__(
        self, spec: ModelSpec, loader: ModelLoader, history: HistoryCache, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.spec = spec
        self.loader = loader
        self.history = history
        self.reader = RequestReader(spec)
        self._batches = Batches()
        self._now = now

    def missing(self) -> str | None:
        """Return what is missing to score requests; None if nothing is."""
        if self.loader.models is None:
            return self.loader.problem or "no model is loaded"
        return None if self.history.features is not None else f"the history of {self.spec.name} is not read yet"

    def _refuse_future(self, row: Mapping[str, Any]) -> None:
        latest, time = self._now() + CLOCK_DIFFERENCE, row[self.spec.event_time]
        if time > latest:
            message = (
                f"lies more than {format_duration(CLOCK_DIFFERENCE)} after the present time of the service, "
                f"{latest - CLOCK_DIFFERENCE:%Y-%m-%dT%H:%M:%SZ}"
            )
            location = ["body", self.spec.event_time]
            raise InvalidRequest([{"type": "too_new", "loc": location, "msg": message, "input": str(time)}])

    async def score(self, body: bytes, reason_count: int) -> ScoreResponse:
        """Score a request with the models that are loaded when it is read, even if they are swapped meanwhile.

        Args:
            body: the body of the request, JSON.
            reason_count: how many of the features that raise the score to name.

        Raises:
            NotReady: before the first champion and history are loaded.
            InvalidRequest: when the request breaks the contract, its row lies in the future, or needs history that is
                no longer in memory.
        """
        models, features = self.loader.models, self.history.features
        if models is None or features is None:
            raise NotReady(self.missing())
        row, earlier = self.reader.read(body)
        self._refuse_future(row)
        try:
            values = (
                await asyncio.to_thread(features.compute, row, earlier)
                if features.is_slow
                else features.compute(row, earlier)
            )
        except RowTooOld as error:
            location = ["body", self.spec.event_time]
            raise InvalidRequest(
                [{"type": "too_old", "loc": location, "msg": str(error), "input": str(row[self.spec.event_time])}]
            ) from None
        side, version = models.route(self.spec.name, row[self.spec.entity] if self.spec.entity else None)
        model = version.model
        score = await self._batches.score(model, model.encode(values))
        reasons = await asyncio.to_thread(model.reasons, values, reason_count) if reason_count else None
        return ScoreResponse(score, score >= model.threshold, version.version, side, features.through_text, reasons)
