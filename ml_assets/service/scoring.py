"""From the body of a request to a score: read, features, side, model."""

import asyncio
from dataclasses import dataclass
from typing import Any

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.serving.online_features import TooOld
from ml_assets.core.serving.request import Refused, RequestReader
from ml_assets.service.batches import Batches
from ml_assets.service.history import HeldHistory
from ml_assets.service.live import LiveModels


class NotReady(Exception):
    """Nothing can be scored yet; the message says what is lacking."""


@dataclass(frozen=True)
class Scored:
    """The answer to a request.

    score: probability of the positive class. model_version: number in the registry. features_through: newest day of
    history that the features saw. reasons: None where they were not asked for.
    """

    score: float
    decision: bool
    model_version: int
    side: str
    features_through: str
    reasons: list[dict[str, Any]] | None


class Scoring:
    """Scores requests of one model with what is live and held at the moment."""

    def __init__(self, spec: ModelSpec, models: LiveModels, history: HeldHistory) -> None:
        self.spec, self.models, self.history = spec, models, history
        self.reader = RequestReader(spec)
        self._batches = Batches()

    def lacking(self) -> str | None:
        """Why nothing can be scored; None when it can."""
        if self.models.live is None:
            return self.models.problem or "no model is loaded"
        return None if self.history.features is not None else f"the history of {self.spec.name} is not read yet"

    async def score(self, body: bytes, reasons: int) -> Scored:
        """The score of a request; `reasons`: how many features are to be named that raise it.

        A request is scored by what was live when it was read, however soon that changes.

        Raises:
            NotReady: before the first champion and history are loaded.
            Refused: when the request breaks the contract, or the history that its row would see is no longer held.
        """
        live, features = self.models.live, self.history.features
        if live is None or features is None:
            raise NotReady(self.lacking())
        row, earlier = self.reader.read(body)
        try:
            made = await asyncio.to_thread(features.of, row, earlier) if features.is_slow else features.of(row, earlier)
        except TooOld as error:
            where = ["body", self.spec.event_time]
            raise Refused(
                [{"type": "too_old", "loc": where, "msg": str(error), "input": str(row[self.spec.event_time])}]
            ) from None
        side, version = live.of(self.spec.name, row[self.spec.entity] if self.spec.entity else None)
        model = version.model
        score = await self._batches.score(model, model.encoded(made))
        told = await asyncio.to_thread(model.reasons, made, reasons) if reasons else None
        return Scored(score, score >= model.threshold, version.version, side, features.through_text, told)
