"""A body is read within its deadline and size, and large ones within a number."""

import asyncio
from typing import Any

import pytest

from ml_assets.service.limits import Limits
from ml_assets.service.request_body import LARGE_BYTES, Slots, read_body
from ml_assets.service.responses import RequestRejected


def read(parts: list[Any], slots: Slots | None = None, **limits: Any) -> bytes:
    """Read a body that arrives in parts; a number is a pause in seconds, None the end of the connection."""
    remaining = list(parts)

    async def receive() -> Any:
        part = remaining.pop(0)
        if isinstance(part, float):
            await asyncio.sleep(part)
            part = remaining.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(remaining)}

    return asyncio.run(read_body(receive, Limits(**limits), slots or Slots(8), "client"))


def status_of(*parts: Any, **arguments: Any) -> int:
    with pytest.raises(RequestRejected) as refused:
        read(list(parts), **arguments)
    return refused.value.status


def test_a_body_is_put_together_from_its_parts():
    assert read([b"{", b"", b"}"]) == b"{}"
    large = b"x" * (LARGE_BYTES + 1)
    assert read([large, b"y"]) == large + b"y"


def test_a_body_that_is_too_large_too_late_or_cut_off_is_rejected():
    assert status_of(b"123", b"456", body_bytes=5) == 413
    large = b"x" * (LARGE_BYTES + 1)
    assert status_of(large, large, large, large, body_bytes=2 * LARGE_BYTES) == 413
    assert status_of(b"{", 5.0, b"}", body_seconds=0.05) == 408
    assert status_of(b"{", None) == 400


def test_one_client_gets_a_quarter_of_the_places():
    slots, large = Slots(4), b"x" * (LARGE_BYTES + 1)
    with slots.taken("client"):
        assert status_of(large, large, slots=slots) == 503
        assert read([b"{}"], slots) == b"{}"
        with slots.taken("b"), slots.taken("c"), slots.taken("d"), pytest.raises(RequestRejected), slots.taken("e"):
            pass
    assert read([large, b"y"], slots)[-1:] == b"y"
