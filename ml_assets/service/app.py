"""The HTTP application: routes, status codes, and the refresh of models and history."""

import asyncio
import gc
import json
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ml_assets.core.model_spec.types.task import DECISION
from ml_assets.core.model_spec.types.task import SCORE as SCORE_COLUMN
from ml_assets.core.serving.faults import fault_of
from ml_assets.core.serving.request import InvalidRequest
from ml_assets.service.capture.request_id import REQUEST_ID, request_id_of
from ml_assets.service.limits import MAX_REASONS, Limits
from ml_assets.service.metrics import Metrics, registry_age
from ml_assets.service.middleware import SCORE, Admission, CountResponses, client_of
from ml_assets.service.openapi import describe_api
from ml_assets.service.request_body import LARGE_BODIES, Slots, read_body
from ml_assets.service.responses import JSON, RequestRejected, json_response
from ml_assets.service.scoring import NotReady, ScoreResponse, Scoring

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

log = logging.getLogger("ml_assets.service")


def create_app(scoring: Scoring, limits: Limits) -> "Starlette":
    """Build the application of one model."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    metrics = Metrics(scoring.spec.columns, scoring.spec.outputs, scoring.loader, scoring.history)
    if scoring.capture is not None:
        scoring.capture.metrics = metrics

    async def health(_: Request) -> Response:
        return json_response({"status": "alive"})

    async def ready(_: Request) -> Response:
        return json_response(_readiness(scoring), 503 if scoring.missing() else 200)

    async def refused(_: Request, error: Exception) -> Response:
        # A path or method that does not exist.
        assert isinstance(error, HTTPException)
        return json_response({"detail": error.detail}, error.status_code, error.headers)

    async def prometheus_metrics(_: Request) -> Response:
        return Response(metrics.as_text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    routes = [
        Route(SCORE, ScoreEndpoint(scoring, limits, metrics), methods=["POST"]),
        Route("/health", health),
        Route("/ready", ready),
        Route("/metrics", prometheus_metrics),
    ]
    # The OpenAPI description discloses columns and rules, so it is not served where a key is required.
    if not limits.api_key:
        description = describe_api(scoring.spec, scoring.reader.json_schema())
        routes.append(Route("/openapi.json", lambda _: json_response(description)))
    app = Starlette(
        routes=routes,
        # The first middleware is the outermost.
        middleware=[Middleware(CountResponses, metrics=metrics), Middleware(Admission, limits=limits)],
        lifespan=lambda _: _background_tasks(scoring, limits, metrics),
        exception_handlers={HTTPException: refused},
    )
    # The address of a redirect would be built from the header Host, which the client chooses.
    app.router.redirect_slashes = False
    app.state.metrics = metrics
    return app


@asynccontextmanager
async def _background_tasks(scoring: Scoring, limits: Limits, metrics: Metrics) -> AsyncIterator[None]:
    """Refresh models and history, and write captured requests, until the block ends."""
    loader, history = scoring.loader, scoring.history
    tasks = [
        asyncio.create_task(_refresh_periodically("registry", loader.refresh, limits.registry_seconds, metrics)),
        asyncio.create_task(_refresh_periodically("lake", history.refresh, limits.history_seconds, metrics)),
        asyncio.create_task(_freeze_when_ready(scoring)),
    ]
    if scoring.capture is not None:
        scoring.capture.start()
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.to_thread(scoring.stop)
    if scoring.capture is not None:
        await asyncio.to_thread(scoring.capture.stop)


class ScoreEndpoint:
    """Scores one row per request. It is a plain ASGI application, because the overhead of a web framework would equal
    the time to compute the features of a row.
    """

    def __init__(self, scoring: Scoring, limits: Limits, metrics: Metrics) -> None:
        self._scoring = scoring
        self._limits = limits
        self._metrics = metrics
        self._bodies = Slots(LARGE_BODIES)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handle a request."""
        response = await self._respond(scope, receive)
        await response(scope, receive, send)

    async def _respond(self, scope: "Scope", receive: "Receive") -> "Response":
        from starlette.datastructures import Headers
        from starlette.responses import Response

        scoring, client = self._scoring, client_of(scope)
        request_id = request_id_of(Headers(scope=scope)) if scoring.capture is not None else ""
        try:
            reasons = read_reasons(scope["query_string"])
            body = await read_body(receive, self._limits, self._bodies, client)
            result = await scoring.score(body, reasons, client, request_id)
        except RequestRejected as error:
            return error.response()
        except InvalidRequest as error:
            self._metrics.record_faults(error.errors)
            return json_response({"detail": error.errors}, 422)
        except NotReady as error:
            return json_response({"detail": str(error)}, 503, {"Retry-After": "2"})
        except Exception:
            log.exception("a request could not be scored")
            return json_response({"detail": "the row could not be scored; see the log of the service"}, 500)
        self._metrics.record_prediction(result.side, result.model_version, result.predicted)
        headers = {REQUEST_ID: request_id} if request_id else None
        return Response(_score_json(result), media_type=JSON, headers=headers)


def read_reasons(query: bytes) -> int:
    """Return the number of reasons that a query string requests; 0 by default.

    Raises:
        InvalidRequest: when it is not a whole number from 0 to MAX_REASONS.
    """
    if not query:
        return 0
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("reasons", ["0"])[-1]
    if given.isascii() and given.isdecimal() and len(given) < 9 and int(given) <= MAX_REASONS:
        return int(given)
    details = {
        "type": "reasons",
        "loc": (),
        "msg": f"not a whole number from 0 to {MAX_REASONS}",
        "input": given,
    }
    raise InvalidRequest([{**fault_of(details), "loc": ["query", "reasons"]}])


async def _freeze_when_ready(scoring: Scoring) -> None:
    """Exclude the loaded objects from garbage collections, which block every thread while they run."""
    while scoring.missing() is not None:
        await asyncio.sleep(0.1)
    gc.freeze()


async def _refresh_periodically(source: str, refresh: Callable[[], None], seconds: float, metrics: Metrics) -> None:
    """Refresh periodically, in a thread separate from the requests.

    A failed refresh is logged once for each reason, and the loaded state stays in use.
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


def _readiness(scoring: Scoring) -> dict[str, Any]:
    models, age = scoring.loader.models, registry_age(scoring.loader)
    return {
        "model": scoring.spec.name,
        "ready": scoring.missing() is None,
        "missing": scoring.missing(),
        "champion": models.champion.version if models else None,
        "challenger": models.challenger.version if models and models.challenger else None,
        "canary_percent": models.percent if models else 0,
        "problem": scoring.loader.problem,
        "registry_age_seconds": round(age, 1) if math.isfinite(age) else None,
        "features_through": scoring.history.features.through_text if scoring.history.features else None,
    }


def _score_json(result: ScoreResponse) -> str:
    """Serialize a response: the predictions, then the model that made them. The response of a binary model without
    reasons is formatted by hand, for speed.
    """
    if result.reasons is None and DECISION in result.predicted:
        decision = "true" if result.predicted[DECISION] else "false"
        return (
            f'{{"score":{result.predicted[SCORE_COLUMN]!r},"decision":{decision},'
            f'"model_version":{result.model_version},"side":"{result.side}",'
            f'"features_through":"{result.features_through}"}}'
        )
    answer = {name: value for name, value in asdict(result).items() if name != "predicted"}
    if result.reasons is None:
        del answer["reasons"]
    return json.dumps({**result.predicted, **answer}, ensure_ascii=False)
