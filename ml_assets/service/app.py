"""The HTTP side of the service: routes, statuses, the API key, limits, and what runs beside the requests."""

import asyncio
import hmac
import json
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from ml_assets.core.serving.request import Refused
from ml_assets.service.metrics import Metrics, registry_age
from ml_assets.service.rate_limit import RateLimit
from ml_assets.service.scoring import NotReady, Scored, Scoring

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

log = logging.getLogger("ml_assets.service")
JSON = "application/json"
MOST_REASONS = 20


@dataclass(frozen=True)
class Limits:
    """What the service asks of others, and when it looks.

    api_key: asked for in the header X-API-Key, None: not. body_bytes: of the largest request. registry_seconds,
    history_seconds: between two looks. per_second: requests for a score that one client, by its address, may make in
    the long run; None: any number.
    """

    api_key: str | None = None
    body_bytes: int = 1_000_000
    registry_seconds: float = 1.0
    history_seconds: float = 10.0
    per_second: float | None = None


class Turned(Exception):
    """A request that is not read: status, why, and headers of the answer."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def create_app(scoring: Scoring, limits: Limits) -> "FastAPI":
    """The application of one model."""
    from fastapi import FastAPI, Query, Request, Response

    spec, reader = scoring.spec, scoring.reader
    metrics = Metrics(spec.columns, scoring.models, scoring.history)
    rate = RateLimit(limits.per_second) if limits.per_second is not None else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        looks = [
            asyncio.create_task(_follow("registry", scoring.models.look, limits.registry_seconds, metrics)),
            asyncio.create_task(_follow("lake", scoring.history.look, limits.history_seconds, metrics)),
        ]
        yield
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    # The description tells columns and rules: not to everybody where there is a key.
    open_api = None if limits.api_key else "/openapi.json"
    app = FastAPI(title=f"Scores of {spec.name}", description=spec.description, lifespan=lifespan, openapi_url=open_api)
    body = {"requestBody": {"required": True, "content": {JSON: {"schema": reader.json_schema()}}}}

    @app.post(
        "/score", openapi_extra=body, responses={422: {"description": "The request breaks the contract of the model"}}
    )
    async def score(request: Request, reasons: Annotated[int, Query(ge=0, le=MOST_REASONS)] = 0) -> Response:
        """Score one row."""
        begun = time.perf_counter()
        response = await _answer(request, reasons)
        metrics.answered(response.status_code, begun)
        return response

    async def _answer(request: Request, reasons: int) -> Response:
        try:
            _check_rate(request, rate)
            _check_key(request, limits.api_key)
            scored = await scoring.score(await _body(request, limits.body_bytes), reasons)
        except Turned as error:
            return _json({"detail": error.detail}, error.status, error.headers)
        except Refused as error:
            metrics.refused(error.faults)
            return _json({"detail": error.faults}, 422)
        except NotReady as error:
            return _json({"detail": str(error)}, 503, {"Retry-After": "2"})
        except Exception:
            log.exception("a request could not be scored")
            return _json({"detail": "the row could not be scored; the log of the service says why"}, 500)
        metrics.scored(scored.side, scored.model_version, scored.score, scored.decision)
        return Response(_text(scored), media_type=JSON)

    @app.get("/health")
    async def health() -> Response:
        """The process answers."""
        return _json({"status": "alive"})

    @app.get("/ready")
    async def ready() -> Response:
        """Requests are scored: 200, else 503; and with what, how old."""
        return _json(_state(scoring), 503 if scoring.lacking() else 200)

    @app.get("/metrics")
    async def metrics_() -> Response:
        """Metrics in the text format of Prometheus."""
        return Response(metrics.as_text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return app


async def _follow(at: str, look: Callable[[], None], seconds: float, metrics: Metrics) -> None:
    """Look again and again, beside the requests. A look that fails is told once for each reason; what was there before
    goes on.
    """
    told = None
    while True:
        try:
            await asyncio.to_thread(look)
            if told is not None:
                log.info("the %s can be read again", at)
            told = None
        except Exception as error:
            metrics.failed_looks.labels(at).inc()
            if (reason := f"{type(error).__name__}: {error}") != told:
                log.error("the %s cannot be read, what is there goes on: %s", at, reason)
            told = reason
        await asyncio.sleep(seconds)


def _check_rate(request: "Request", rate: RateLimit | None) -> None:
    """Before the key is looked at, so that nobody can try many."""
    client = request.client.host if request.client else ""
    if rate is not None and (seconds := rate.seconds_to_wait(client, time.monotonic())):
        raise Turned(
            429, "more requests than one client may make; come back later", {"Retry-After": str(math.ceil(seconds))}
        )


def _check_key(request: "Request", key: str | None) -> None:
    if key is not None and not hmac.compare_digest(request.headers.get("x-api-key", "").encode(), key.encode()):
        raise Turned(401, "the header X-API-Key is missing or wrong")


async def _body(request: "Request", most: int) -> bytes:
    """The body, refused as soon as it is known to be too large."""
    from starlette.requests import ClientDisconnect

    size, parts = int(request.headers.get("content-length", 0)), []
    if size <= most:
        size = 0
        try:
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > most:
                    break
        except ClientDisconnect:
            raise Turned(400, "the connection ended before the request did") from None
    if size > most:
        raise Turned(413, f"the request is larger than {most:,} bytes; carry fewer earlier rows")
    return b"".join(parts)


def _state(scoring: Scoring) -> dict[str, Any]:
    live, age = scoring.models.live, registry_age(scoring.models)
    return {
        "model": scoring.spec.name,
        "ready": scoring.lacking() is None,
        "lacking": scoring.lacking(),
        "champion": live.champion.version if live else None,
        "challenger": live.challenger.version if live and live.challenger else None,
        "canary_percent": live.percent if live else 0,
        "problem": scoring.models.problem,
        "registry_age_seconds": round(age, 1) if math.isfinite(age) else None,
        "features_through": scoring.history.features.through_text if scoring.history.features else None,
    }


def _text(scored: Scored) -> str:
    """JSON of an answer; put together by hand where all is numbers and words, for speed."""
    if scored.reasons is None:
        return (
            f'{{"score":{scored.score!r},"decision":{"true" if scored.decision else "false"},"model_version":{scored.model_version},'
            f'"side":"{scored.side}","features_through":"{scored.features_through}"}}'
        )
    return json.dumps(asdict(scored))


def _json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
    from fastapi import Response

    return Response(json.dumps(content), status, headers, JSON)
