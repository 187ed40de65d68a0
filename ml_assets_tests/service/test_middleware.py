"""A request is refused by its head: its body is not read."""

import asyncio
import json
from typing import Any

import pytest

from ml_assets.service.limits import Limits
from ml_assets.service.middleware import Admission

JSON = {"content-type": "application/json"}


def respond(limits: Limits, headers: dict[str, str], times: int = 1, path: str = "/score") -> tuple[int, str]:
    """Send requests through the middleware to an application that answers 200; return status and detail of the last."""
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"detail": ""}'})

    async def receive() -> Any:
        raise AssertionError("the body is read")

    async def send(message: Any) -> None:
        sent.append(message)

    async def exchange() -> None:
        middleware = Admission(application, limits)
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        for _ in range(times):
            scope = {"type": "http", "path": path, "headers": raw, "client": ("10.0.0.1", 1), "method": "POST"}
            await middleware(scope, receive, send)

    asyncio.run(exchange())
    return sent[-2]["status"], json.loads(sent[-1]["body"])["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        JSON,
        {"content-type": "application/json; charset=UTF-8"},
        {"content-type": "application/vnd.api+json"},
        {"content-encoding": "identity"},
        {"content-length": "100"},
    ],
)
def test_a_request_of_json_is_passed_on(headers):
    assert respond(Limits(body_bytes=100), headers) == (200, "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/xml"}, 415),
        (JSON | {"content-encoding": "gzip"}, 415),
        (JSON | {"content-encoding": "gzip, br"}, 415),
        (JSON | {"content-length": "101"}, 413),
        (JSON | {"content-length": "9" * 5_000}, 413),
        (JSON | {"content-length": "\xb2"}, 413),
    ],
)
def test_other_content_is_refused_in_a_sentence(headers, status):
    answer, detail = respond(Limits(body_bytes=100), headers)
    assert answer == status
    assert 10 < len(detail) < 120


def test_rate_comes_before_key_and_key_before_content():
    limits = Limits(api_key="secret", per_second=0.001)
    assert respond(limits, {"content-type": "text/plain"})[0] == 401
    assert respond(limits, {"content-type": "text/plain", "x-api-key": "secre\xe9"})[0] == 401
    assert respond(limits, {"content-type": "text/plain", "x-api-key": "secret"})[0] == 415
    assert respond(limits, JSON | {"x-api-key": "secret"}, times=2)[0] == 429


def test_metrics_have_a_rate_and_probes_have_none():
    assert respond(Limits(), {}, times=100, path="/metrics")[0] == 429
    assert respond(Limits(), {}, times=10, path="/metrics")[0] == 200
    assert respond(Limits(api_key="secret", per_second=0.001), {}, times=100, path="/health")[0] == 200
