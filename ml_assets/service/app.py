"""The HTTP application: routes, statuses, and the refresh of models and history."""

import asyncio
import gc
import json
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from ml_assets.core.model_spec.types.task import DECISION
from ml_assets.core.model_spec.types.task import SCORE as SCORE_COLUMN
from ml_assets.core.serving.faults import fault_of
from ml_assets.core.serving.request import InvalidRequest
from ml_assets.service.limits import Limits
from ml_assets.service.metrics import Metrics, registry_age
from ml_assets.service.middleware import SCORE, Admission, CountResponses, client_of
from ml_assets.service.request_body import LARGE_BODIES, Slots, read_body
from ml_assets.service.request_id import REQUEST_ID, request_id_of
from ml_assets.service.responses import JSON, RequestRejected, json_response
from ml_assets.service.scoring import NotReady, ScoreResponse, Scoring

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger("ml_assets.service")
MAX_REASONS = 20


def create_app(scoring: Scoring, limits: Limits) -> "FastAPI":
    """Build the application of one model."""
    from fastapi import FastAPI, Query, Request, Response
    from fastapi.exceptions import RequestValidationError

    spec, reader = scoring.spec, scoring.reader
    metrics = Metrics(spec.columns, spec.outputs, scoring.loader, scoring.history)
    if scoring.capture is not None:
        scoring.capture.metrics = metrics
    bodies = Slots(LARGE_BODIES)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(
                _refresh_periodically("registry", scoring.loader.refresh, limits.registry_seconds, metrics)
            ),
            asyncio.create_task(
                _refresh_periodically("lake", scoring.history.refresh, limits.history_seconds, metrics)
            ),
            asyncio.create_task(_freeze_when_ready(scoring)),
        ]
        if scoring.capture is not None:
            scoring.capture.start()
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if scoring.capture is not None:
            await asyncio.to_thread(scoring.capture.stop)

    # The schema discloses columns and rules, so it is hidden where a key is required.
    open_api = None if limits.api_key else "/openapi.json"
    app = FastAPI(
        title=f"Scores of {spec.name}",
        description=spec.description,
        lifespan=lifespan,
        openapi_url=open_api,
        # The address of a redirect would follow the header Host, which the client chooses.
        redirect_slashes=False,
    )
    app.state.metrics = metrics
    # The last one added is the outermost.
    app.add_middleware(Admission, limits=limits)
    app.add_middleware(CountResponses, metrics=metrics)
    request_schema = {"requestBody": {"required": True, "content": {JSON: {"schema": reader.json_schema()}}}}

    @app.exception_handler(RequestValidationError)
    async def invalid_parameters(_: Request, error: RequestValidationError) -> Response:
        refusal = InvalidRequest([{**fault_of(details), "loc": ["query", "reasons"]} for details in error.errors()])
        metrics.record_faults(refusal.errors)
        return json_response({"detail": refusal.errors}, 422)

    @app.post(
        SCORE,
        openapi_extra=request_schema,
        responses={422: {"description": "The request breaks the contract of the model"}},
    )
    async def score(request: Request, reasons: Annotated[int, Query(ge=0, le=MAX_REASONS)] = 0) -> Response:
        """Score one row."""
        client = client_of(request.scope)
        request_id = request_id_of(request.headers) if scoring.capture is not None else ""
        try:
            body = await read_body(request, limits, bodies, client)
            result = await scoring.score(body, reasons, client, request_id)
        except RequestRejected as error:
            return error.response()
        except InvalidRequest as error:
            metrics.record_faults(error.errors)
            return json_response({"detail": error.errors}, 422)
        except NotReady as error:
            return json_response({"detail": str(error)}, 503, {"Retry-After": "2"})
        except Exception:
            log.exception("a request could not be scored")
            return json_response({"detail": "the row could not be scored; see the log of the service"}, 500)
        metrics.record_prediction(result.side, result.model_version, result.predicted)
        headers = {REQUEST_ID: request_id} if request_id else None
        return Response(_score_json(result), media_type=JSON, headers=headers)

    @app.get("/health")
    async def health() -> Response:
        """Report that the process is alive."""
        return json_response({"status": "alive"})

    @app.get("/ready")
    async def ready() -> Response:
        """Report the loaded models and their age, with 200 if requests can be scored, else 503."""
        return json_response(_readiness(scoring), 503 if scoring.missing() else 200)

    @app.get("/metrics")
    async def prometheus_metrics() -> Response:
        """Return the metrics in the text format of Prometheus."""
        return Response(metrics.as_text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return app


async def _freeze_when_ready(scoring: Scoring) -> None:
    """Leave what is loaded out of garbage collections, which hold up every thread for as long as they take."""
    while scoring.missing() is not None:
        await asyncio.sleep(0.1)
    gc.freeze()


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
    """Serialize a response: what the model predicts, then who predicted it. That of a binary model without reasons is
    formatted by hand, for speed.
    """
    if result.reasons is None and DECISION in result.predicted:
        decision = "true" if result.predicted[DECISION] else "false"
        return (
            f'{{"score":{result.predicted[SCORE_COLUMN]!r},"decision":{decision},"model_version":{result.model_version},'
            f'"side":"{result.side}","features_through":"{result.features_through}"}}'
        )
    answer = {name: value for name, value in asdict(result).items() if name != "predicted"}
    if result.reasons is None:
        del answer["reasons"]
    return json.dumps({**result.predicted, **answer}, ensure_ascii=False)
