"""The path from the body of a request to a score: parse, compute features, route to a side, score."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.durations import format_duration
from ml_assets.core.serving.captured_requests import ServedRequest
from ml_assets.core.serving.faults import fault_of
from ml_assets.core.serving.online_features import OnlineFeatures, RowTooOld
from ml_assets.core.serving.request import EARLIER, InvalidRequest, RequestReader, ScoreRequest
from ml_assets.service.batches import Batches
from ml_assets.service.capture.request_capture import RequestCapture
from ml_assets.service.history import HistoryCache
from ml_assets.service.limits import Limits
from ml_assets.service.model_loader import ModelLoader
from ml_assets.service.reader_process import ReaderProcess
from ml_assets.service.request_body import Slots

INLINE_BYTES = 8_192
"""Maximum size of a request that the event loop reads itself, in about a millisecond."""
SLOW_THREADS = 2


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


Row = Mapping[str, Any]


class NotReady(Exception):
    """No request can be scored yet; the message says what is missing."""


@dataclass(frozen=True)
class ScoreResponse:
    """The response to a request.

    predicted: the predictions, by column name in the table predictions. model_version: number in the registry.
    features_through: newest day of history that the features saw. reasons: None if none were requested.
    """

    predicted: Mapping[str, Any]
    model_version: int
    side: str
    features_through: str
    reasons: list[dict[str, Any]] | None


class Scoring:
    """Scores requests with the currently loaded versions of a model and history."""

    def __init__(
        self,
        spec: ModelSpec,
        loader: ModelLoader,
        history: HistoryCache,
        now: Callable[[], datetime] = utc_now,
        limits: Limits | None = None,
        capture: RequestCapture | None = None,
    ) -> None:
        limits = limits or Limits()
        self.spec = spec
        self.loader = loader
        self.history = history
        self.capture = capture
        self.reader = RequestReader(spec, limits.request)
        self._batches = Batches()
        self._now = now
        self._max_future = timedelta(seconds=limits.future_seconds)
        self._waiting = Slots(limits.large_requests)
        self._reader_process = ReaderProcess(spec, limits.request)
        self._slow_threads = ThreadPoolExecutor(SLOW_THREADS, "slow-features")

    def missing(self) -> str | None:
        """Explain why requests cannot be scored yet; None if they can."""
        if self.loader.models is None:
            return self.loader.problem or "no model is loaded"
        if self.history.features is not None:
            return None
        if self.history.problem is not None:
            return f"the history of {self.spec.name} cannot be read: {self.history.problem}"
        return f"the history of {self.spec.name} is not read yet"

    async def score(self, body: bytes, reason_count: int, client: str = "", request_id: str = "") -> ScoreResponse:
        """Score a request with the models that are loaded when it is read, even if they are swapped in the meantime.

        Args:
            body: the body of the request, JSON.
            reason_count: number of features to name that most raise the score, or most change the prediction.
            client: address of the client.
            request_id: the ID under which the request is captured.

        Raises:
            NotReady: before the first champion and history are loaded.
            InvalidRequest: when the request breaks the contract, a row lies in the future, or the row needs history
                that is no longer in memory.
            RequestRejected: when too many large requests wait.
        """
        models, features = self.loader.models, self.history.features
        if models is None or features is None:
            raise NotReady(self.missing())
        row, values = await self._read(body, features, client)
        side, version = models.route(self.spec.name, row[self.spec.entity] if self.spec.entity else None)
        model = version.model
        predicted = await self._batches.predict(model, model.encode(values))
        reasons = None
        if reason_count:
            loop = asyncio.get_running_loop()
            reasons = await loop.run_in_executor(self._slow_threads, model.reasons, values, reason_count)
        through = features.through_text
        if self.capture is not None:
            self.capture.record(
                ServedRequest(request_id, self._now(), row, values, predicted, version.version, side, through)
            )
        return ScoreResponse(predicted, version.version, side, through, reasons)

    async def _read(self, body: bytes, features: OnlineFeatures, client: str) -> tuple[Row, dict[str, Any]]:
        """Return the row of a request and its features; large requests are read in a separate process."""
        if is_large := len(body) > INLINE_BYTES:
            with self._waiting.taken(client):
                request = await self._reader_process.read(body)
        else:
            content = self.reader.parse(body)
            if self.reader.is_slow(content):
                request = await self._reader_process.read(body)
            else:
                request = self.reader.validate(content)
        self._refuse_future(request)
        if is_large or features.is_slow:
            loop = asyncio.get_running_loop()
            return request.row, await loop.run_in_executor(self._slow_threads, self._compute, features, request)
        return request.row, self._compute(features, request)

    def stop(self) -> None:
        """End the process that reads large requests."""
        self._reader_process.stop()

    def _compute(self, features: OnlineFeatures, request: ScoreRequest) -> dict[str, Any]:
        try:
            return features.compute(*request)
        except RowTooOld as error:
            raise self._fault("too_old", (), str(error), request.row) from None

    def _refuse_future(self, request: ScoreRequest) -> None:
        """Refuse a request with a row too far in the future, which indicates a wrong clock or unit."""
        latest = self._now() + self._max_future
        for position, row in enumerate((request.row, *request.earlier)):
            if row[self.spec.event_time] > latest:
                message = (
                    f"lies more than {format_duration(self._max_future)} after the present time of the service, "
                    f"{latest - self._max_future:%Y-%m-%dT%H:%M:%SZ}"
                )
                raise self._fault("too_new", (EARLIER, position - 1) if position else (), message, row)

    def _fault(self, kind: str, location: Sequence[str | int], message: str, row: Row) -> InvalidRequest:
        name = self.spec.event_time
        details = {"type": kind, "loc": (*location, name), "msg": message, "input": str(row[name])}
        return InvalidRequest([fault_of(details)])
