"""The HTTP application: routes, statuses, the API key, limits, and the refresh of models and history."""

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

from ml_assets.core.serving.request import InvalidRequest
from ml_assets.service.metrics import Metrics, registry_age
from ml_assets.service.rate_limit import RateLimit
from ml_assets.service.scoring import NotReady, ScoreResponse, Scoring

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

log = logging.getLogger("ml_assets.service")
JSON = "application/json"
MAX_REASONS = 20


@dataclass(frozen=True)
class Limits:
    """Limits of requests, and the intervals of refreshes.

    api_key: required in the header X-API-Key; None: no key is required. body_bytes: size of the largest request.
    registry_seconds, history_seconds: seconds between two refreshes. per_second: requests for a score that one client,
    by its address, may make in the long run; None: any number.
    """

    api_key: str | None = None
    body_bytes: int = 1_000_000
    registry_seconds: float = 1.0
    history_seconds: float = 10.0
    per_second: float | None = None


class RequestRejected(Exception):
    """A request is rejected before its row is read; with status, detail and headers of the response."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def create_app(scoring: Scoring, limits: Limits) -> "FastAPI":
    """Build the application of one model."""
    from fastapi import FastAPI, Query, Request, Response

    spec, reader = scoring.spec, scoring.reader
    metrics = Metrics(spec.columns, scoring.loader, scoring.history)
    rate = RateLimit(limits.per_second) if limits.per_second is not None else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(
                _refresh_periodically("registry", scoring.loader.refresh, limits.registry_seconds, metrics)
            ),
            asyncio.create_task(
                _refresh_periodically("lake", scoring.history.refresh, limits.history_seconds, metrics)
            ),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # The schema discloses columns and rules, so it is hidden where a key is required.
    open_api = None if limits.api_key else "/openapi.json"
    app = FastAPI(title=f"Scores of {spec.name}", description=spec.description, lifespan=lifespan, openapi_url=open_api)
    request_schema = {"requestBody": {"required": True, "content": {JSON: {"schema": reader.json_schema()}}}}

    @app.post(
        "/score",
        openapi_extra=request_schema,
        responses={422: {"description": "The request breaks the contract of the model"}},
    )
    async def score(request: Request, reasons: Annotated[int, Query(ge=0, le=MAX_REASONS)] = 0) -> Response:
        """Score one row."""
        begun = time.perf_counter()
        response = await _respond(request, reasons)
        metrics.record_response(response.status_code, begun)
        return response

    async def _respond(request: Request, reasons: int) -> Response:
        try:
            _check_rate(request, rate)
            _check_key(request, limits.api_key)
            result = await scoring.score(await _read_body(request, limits.body_bytes), reasons)
        except RequestRejected as error:
            return _json_response({"detail": error.detail}, error.status, error.headers)
        except InvalidRequest as error:
            metrics.record_faults(error.errors)
            return _json_response({"detail": error.errors}, 422)
        except NotReady as error:
            return _json_response({"detail": str(error)}, 503, {"Retry-After": "2"})
        except Exception:
            log.exception("a request could not be scored")
            return _json_response({"detail": "the row could not be scored; see the log of the service"}, 500)
        metrics.record_score(result.side, result.model_version, result.score, result.decision)
        return Response(_score_json(result), media_type=JSON)

    @app.get("/health")
    async def health() -> Response:
        """Report that the process is alive."""
        return _json_response({"status": "alive"})

    @app.get("/ready")
    async def ready() -> Response:
        """Report the loaded models and their age, with 200 if requests can be scored, else 503."""
        return _json_response(_readiness(scoring), 503 if scoring.missing() else 200)

    @app.get("/metrics")
    async def prometheus_metrics() -> Response:
        """Return the metrics in the text format of Prometheus."""
        return Response(metrics.as_text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return app


async def _refresh_periodically(source: str, refresh: Callable[[], None], seconds: float, metrics: Metrics) -> None:
    """Refresh again and again, in a thread beside the requests.

    A refresh that fails is logged once for each reason, and the loaded state stays.
    """
    logged_reason = None
    while True:
        try:
            await asyncio.to_thread(refresh)
            if logged_reason is not None:
                log.info("the %s can be read again", source)
            logged_reason = None
        except Exception as error:
            metrics.failed_refreshes.labels(source).inc()
            if (reason := f"{type(error).__name__}: {error}") != logged_reason:
                log.error("the %s cannot be read, the loaded state stays: %s", source, reason)
            logged_reason = reason
        await asyncio.sleep(seconds)


def _check_rate(request: "Request", rate: RateLimit | None) -> None:
    """Check the rate before the key is compared, so that keys cannot be guessed quickly."""
    client = request.client.host if request.client else ""
    if rate is not None and (seconds := rate.seconds_to_wait(client, time.monotonic())):
        raise RequestRejected(
            429, "too many requests from this client; retry later", {"Retry-After": str(math.ceil(seconds))}
        )


def _check_key(request: "Request", key: str | None) -> None:
    if key is not None and not hmac.compare_digest(request.headers.get("x-api-key", "").encode(), key.encode()):
        raise RequestRejected(401, "the header X-API-Key is missing or wrong")


async def _read_body(request: "Request", max_bytes: int) -> bytes:
    """Read the body, and reject it as soon as it is known to be too large."""
    from starlette.requests import ClientDisconnect

    size, parts = int(request.headers.get("content-length", 0)), []
    if size <= max_bytes:
        size = 0
        try:
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > max_bytes:
                    break
        except ClientDisconnect:
            raise RequestRejected(400, "the connection ended before the request did") from None
    if size > max_bytes:
        raise RequestRejected(413, f"the request is larger than {max_bytes:,} bytes; send fewer earlier rows")
    return b"".join(parts)


def _readiness(scoring: Scoring) -> dict[str, Any]:
    models, age = scoring.loader.models, registry_age(scoring.loader)
    return {
        "model": scoring.spec.name,
        "ready": scoring.missing() is None,
        "lacking": scoring.missing(),
        "champion": models.champion.version if models else None,
        "challenger": models.challenger.version if models and models.challenger else None,
        "canary_percent": models.percent if models else 0,
        "problem": scoring.loader.problem,
        "registry_age_seconds": round(age, 1) if math.isfinite(age) else None,
        "features_through": scoring.history.features.through_text if scoring.history.features else None,
    }


def _score_json(result: ScoreResponse) -> str:
    """Serialize a response; without reasons it is formatted by hand, for speed."""
    if result.reasons is None:
        decision = "true" if result.decision else "false"
        return (
            f'{{"score":{result.score!r},"decision":{decision},"model_version":{result.model_version},'
            f'"side":"{result.side}","features_through":"{result.features_through}"}}'
        )
    return json.dumps(asdict(result))


def _json_response(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
    from fastapi import Response

    return Response(json.dumps(content), status, headers, JSON)
