"""ASGI middleware around the scoring route, which counts responses and refuses requests by their head before the body
is read.
"""

import hmac
import math
import time
from typing import TYPE_CHECKING

from ml_assets.service.clients import client_name
from ml_assets.service.limits import Limits
from ml_assets.service.metrics import Metrics
from ml_assets.service.rate_limit import RateLimit
from ml_assets.service.responses import JSON, RequestRejected

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCORE = "/score"
PROBES = ("/health", "/ready")
OTHERS_PER_SECOND = 20.0
"""Rate limit per client for requests other than scores and probes, because rendering the metrics takes milliseconds."""


class CountResponses:
    """Count the responses to scoring requests by status, including those refused by other middleware."""

    def __init__(self, app: "ASGIApp", metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["path"] != SCORE:
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def send_and_count(message: "Message") -> None:
            if message["type"] == "http.response.start":
                self._metrics.record_response(message["status"], begun)
            await send(message)

        await self._app(scope, receive, send_and_count)


class Admission:
    """Refuse a request by its head: too many from this client or, for a score, a missing key or content that is not
    JSON."""

    def __init__(self, app: "ASGIApp", limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._rate = RateLimit(limits.per_second) if limits.per_second is not None else None
        self._rate_of_others = RateLimit(OTHERS_PER_SECOND)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handle a request."""
        from starlette.datastructures import Headers

        if scope["type"] == "http" and scope["path"] not in PROBES:
            try:
                # The rate is checked before the key, so that keys cannot be guessed quickly.
                if scope["path"] == SCORE:
                    headers = Headers(scope=scope)
                    _check_rate(scope, self._rate)
                    _check_key(headers, self._limits.api_key)
                    _check_content(headers)
                    _check_length(headers, self._limits.body_bytes)
                else:
                    _check_rate(scope, self._rate_of_others)
            except RequestRejected as error:
                await error.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)


def client_of(scope: "Scope") -> str:
    """Return the name of the client of a request, see `client_name`; empty if unknown."""
    client = scope.get("client")
    return client_name(client[0]) if client else ""


def too_large(max_bytes: int) -> RequestRejected:
    """Return the rejection of a body that is too large."""
    return RequestRejected(413, f"the request is larger than {max_bytes:,} bytes; send fewer earlier rows")


def _check_rate(scope: "Scope", rate: RateLimit | None) -> None:
    if rate is not None and (seconds := rate.seconds_to_wait(client_of(scope), time.monotonic())):
        raise RequestRejected(
            429, "too many requests from this client; retry later", {"Retry-After": str(math.ceil(seconds))}
        )


def _check_key(headers: "Headers", key: str | None) -> None:
    if key is not None and not hmac.compare_digest(headers.get("x-api-key", "").encode(), key.encode()):
        raise RequestRejected(401, "the header X-API-Key is missing or wrong")


def _check_content(headers: "Headers") -> None:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise RequestRejected(
            415, "the body has a Content-Encoding; send it uncompressed", {"Accept-Encoding": "identity"}
        )
    kind, _, parameters = headers.get("content-type", JSON).lower().partition(";")
    kind = kind.strip()
    if kind and kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise RequestRejected(415, f"the Content-Type is not {JSON}; send the row as JSON")
    charset = parameters.replace(" ", "").partition("charset=")[2].partition(";")[0].strip('"')
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise RequestRejected(415, "the charset of the Content-Type is not UTF-8; send the row as JSON in UTF-8")


def _check_length(headers: "Headers", max_bytes: int) -> None:
    length = headers.get("content-length", "0")
    # An HTTP server passes on digits only.
    if not length.isdecimal() or len(length) > 18 or int(length) > max_bytes:
        raise too_large(max_bytes)
