"""Hostile clients of the scoring service, beside honest ones: it keeps answering, and gives the same scores."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime

import httpx

from ml_assets_tests.chaos.command_faults import start_command
from ml_assets_tests.chaos.instance_faults import LONGEST, MODEL
from ml_assets_tests.chaos.kills import Report
from ml_assets_tests.support.hostile_clients import exchange, half_open
from ml_assets_tests.support.http_server import free_port
from ml_assets_tests.support.local_instance import LocalInstance

SECONDS = 15.0
# On a busy machine; a service that is blocked does not answer for a minute and more.
SLOWEST_ANSWER = 5.0
EMPTY_ROWS = 240_000


def misuse_service(demo: LocalInstance) -> Report:
    """Serve the champion of a model, misuse the service for some seconds, and ask for the same score all the time."""
    report, port = Report("hostile clients of the scoring service"), free_port()
    process = start_command(demo, "serve", MODEL, "--port", str(port))
    row = {"transaction_id": 7_000_001, "event_time": datetime.now(UTC).isoformat(), "customer_id": 42}
    row |= {"terminal_id": 7, "amount": 129.5, "merchant_category": "groceries"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SLOWEST_ANSWER) as client:
            _wait_until_ready(client)
            score = client.post("/score", json=row).json()
            stop, answers = threading.Event(), Counter()
            hostile = [threading.Thread(target=_repeat, args=(stop, kind, port, row, answers)) for kind in KINDS]
            for thread in hostile:
                thread.start()
            with ExitStack() as stack:
                for source, beginning in (("127.0.0.2", b""), ("127.0.0.3", b"POST /score HTTP/1.1\r\nX-A")):
                    stack.enter_context(half_open(port, 100, beginning, source))
                until = time.monotonic() + SECONDS
                while time.monotonic() < until:
                    report.wrong += _ask(client, row, score)
            stop.set()
            for thread in hostile:
                thread.join(LONGEST)
            report.wrong += _ask(client, row, score)
        report.messages += [f"{times} x {answer}" for answer, times in sorted(answers.items())]
        report.wrong += [answer for answer in answers if ": 5" in answer and ": 503" not in answer]
    except (httpx.HTTPError, AssertionError) as error:
        report.wrong.append(repr(error))
    finally:
        process.terminate()
        printed, _ = process.communicate(timeout=LONGEST)
    if "Traceback" in printed:
        report.wrong.append(printed[-800:])
    return report


def _wait_until_ready(client: httpx.Client) -> None:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            if client.get("/ready").status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"the service was not ready within {LONGEST} s")


def _ask(client: httpx.Client, row: dict, score: dict) -> list[str]:
    """Ask for a score and for the health of the service; describe what is not as without hostile clients."""
    answer = client.post("/score", json=row)
    wrong = [] if answer.json() == score else [f"{answer.status_code} {answer.text[:300]} instead of {score}"]
    return wrong if client.get("/health").status_code == 200 else [*wrong, "/health does not answer"]


def _repeat(stop: threading.Event, kind: str, port: int, row: dict, answers: Counter[str]) -> None:
    content = KINDS[kind](row)
    while not stop.is_set():
        try:
            answer = exchange(port, content)
        except OSError:
            answer = b""
        answers[f"{kind}: {answer[9:12].decode() or 'closed'}"] += 1
        stop.wait(0.2)


def _request(body: bytes) -> bytes:
    head = f"POST /score HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/json\r\n\r\n".encode() + body


KINDS: dict[str, Callable[[dict], bytes]] = {
    "empty earlier rows": lambda row: _request(json.dumps({**row, "earlier_rows": [{}] * EMPTY_ROWS}).encode()),
    "deep brackets": lambda row: _request(b"[" * 500_000),
    "a body that is too large": lambda row: _request(b" " * 5_000_000),
    "half a body": lambda row: _request(b"{" * 1_000)[:-500],
    "no HTTP": lambda row: bytes(range(256)) * 100,
}
