"""Soak of the scoring service: honest clients at a steady rate, with and without hostile ones beside them.

    python benchmarks/service_soak.py [--rate N] [--seconds N] [--rounds N] [--connections N]

The service runs as `ml-assets serve` does, with an API key, on the lake of `benchmarks/service.py`. Honest clients send
rows at a fixed rate over connections that stay open; the time of a response counts from the moment at which its request
was due. Hostile clients, a process of their own at other addresses, keep half-open connections, send bodies byte by
byte, bodies that are too large, 240,000 empty earlier rows, 1,000 valid ones, values in unusual notations, wrong keys
and pipelined floods. Periods without and with them take turns. The exit code is 1 when an honest request fails, or when
the 99th percentile of honest responses is more than twice as long with hostile clients as without.
"""

import argparse
import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from service import MODEL, free_port, prepare, wait_for

KEY = "a-key-of-the-soak"
MAX_RATIO = 2.0
HEAD = (
    "POST /score HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\n\r\n"
)


class Period(NamedTuple):
    """Responses of one period. seconds: of each honest response. health: of each probe of /health. failed: honest
    responses with another status than 200, and connections that ended.
    """

    seconds: list[float]
    health: list[float]
    failed: int


def quantile(seconds: list[float], share: float) -> float:
    """Return the milliseconds within which a share of the requests was answered."""
    return 1000 * sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)] if seconds else float("nan")


def request(body: bytes, key: str = KEY) -> bytes:
    """Return a request for a score as bytes."""
    return HEAD.format(key=key, length=len(body)).encode() + body


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, content: bytes) -> bytes:
    """Send a request, and return the status of its response once it is complete."""
    writer.write(content)
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return head[9:12]


async def send_at_rate(port: int, requests: list[bytes], rate: float, seconds: float, connections: int) -> Period:
    """Send honest requests at a rate, and a probe of /health twenty times a second."""
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    period, failed = Period([], [], 0), 0

    async def work() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (entry := await due.get()) is not None:
            try:
                status = await exchange(reader, writer, entry[1])
            except (OSError, asyncio.IncompleteReadError):
                status = b""
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            period.seconds.append(time.perf_counter() - entry[0])
            failed += status != b"200"
        writer.close()

    async def probe() -> None:
        while True:
            begun = time.perf_counter()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await exchange(reader, writer, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            period.health.append(time.perf_counter() - begun)
            writer.close()
            await asyncio.sleep(0.05)

    workers = [asyncio.create_task(work()) for _ in range(connections)]
    probes = asyncio.create_task(probe())
    begun = time.perf_counter()
    for number in range(int(rate * seconds)):
        moment = begun + number / rate
        if (wait := moment - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait((moment, requests[number % len(requests)]))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    probes.cancel()
    return period._replace(failed=failed)


async def misuse(port: int, row: dict) -> None:
    """Be every kind of hostile client until the process is ended; print the number of responses by kind and status."""
    answers: Counter[str] = Counter()
    addresses = (f"127.0.0.{number}" for number in range(2, 250))

    async def again(name: str, source: str, parts: list[bytes], pause: float, stay: float) -> None:
        while True:
            status = "no answer"
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
                for part in parts:
                    writer.write(part)
                    await asyncio.sleep(pause)
                answer = await asyncio.wait_for(reader.read(200), stay)
                status = answer[9:12].decode() or "closed"
                writer.close()
            except (OSError, TimeoutError):
                pass
            answers[f"{name}: {status}"] += 1
            print(json.dumps(answers), flush=True)
            await asyncio.sleep(0.1)

    empty = json.dumps({**row, "earlier_rows": [{}] * 240_000}).encode()
    key = next(name for name in row if name.endswith("_id"))
    many = json.dumps({**row, "earlier_rows": [{**row, key: 10**9 + number} for number in range(1_000)]}).encode()
    unusual = json.dumps({name: f" {value} " for name, value in row.items()}).encode()
    get = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    slow = request(b" " * 1_000)
    kinds = {
        "half-open": (300, [b""], 0.0, 60.0),
        "half a head": (100, [b"POST /score HTTP/1.1\r\nX-A"], 0.0, 60.0),
        "byte by byte": (20, [slow[i : i + 1] for i in range(len(slow))], 0.5, 60.0),
        "half a body": (50, [slow[:-500]], 0.0, 60.0),
        "too large": (2, [request(b"[" * 5_000_000)], 0.0, 10.0),
        "240,000 empty earlier rows": (4, [request(empty)], 0.0, 30.0),
        "1,000 earlier rows": (1, [request(many)], 0.0, 30.0),
        "unusual notations": (2, [request(unusual)], 0.0, 10.0),
        "wrong key": (10, [request(b"{}", key="guess")], 0.0, 10.0),
        "pipelined": (2, [get * 1_000], 0.0, 10.0),
    }
    await asyncio.gather(
        *(
            again(name, source, parts, pause, stay)
            for name, (number, parts, pause, stay) in kinds.items()
            for source in [next(addresses)]
            for _ in range(number)
        )
    )


def status_of(server: subprocess.Popen) -> str:
    """Return memory and open files of a process (Linux)."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{server.pid}/status").read_text().splitlines())
    files = len(os.listdir(f"/proc/{server.pid}/fd"))
    memory, peak = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return f"{memory:,.0f} MB (at most {peak:,.0f}), {files} open files"


def measure(place: Path, rate: float, seconds: float, rounds: int, connections: int) -> int:
    """Measure, print the figures, return the exit code."""
    rows = prepare(place)[0]
    requests = [request(body) for body in rows]
    environment = {
        **os.environ,
        "ML_ASSETS_LAKE": str(place / "lake"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{place / 'mlflow.db'}",
        "ML_ASSETS_API_KEY": KEY,
    }
    port = free_port()
    command = [sys.executable, "-W", "ignore"]
    server = subprocess.Popen([*command, "-m", "ml_assets.cli", "serve", MODEL, "--port", str(port)], env=environment)
    periods: dict[str, list[Period]] = {"alone": [], "with hostile": []}
    answers = ""
    try:
        wait_for(f"http://127.0.0.1:{port}/ready")
        asyncio.run(send_at_rate(port, requests, rate, 2.0, connections))
        print(f"{rate:,.0f} requests a second over {connections} connections, {rounds} x {seconds:g} seconds each")
        print(f"service before: {status_of(server)}")
        for _ in range(rounds):
            periods["alone"].append(asyncio.run(send_at_rate(port, requests, rate, seconds, connections)))
            log = (place / "hostile.log").open("w+")
            hostile = subprocess.Popen([*command, __file__, "--hostile", str(port), rows[0].decode()], stdout=log)
            time.sleep(2)
            periods["with hostile"].append(asyncio.run(send_at_rate(port, requests, rate, seconds, connections)))
            during = status_of(server)
            hostile.terminate()
            hostile.wait()
            answers = (place / "hostile.log").read_text().splitlines()[-1]
            time.sleep(1)
        print(f"service during: {during}\nservice after:  {status_of(server)}")
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    finally:
        server.terminate()
        server.wait()
    print("hostile clients, responses of the last round:")
    for kind, number in sorted(json.loads(answers).items()):
        print(f"  {kind:40}{number:8,}")
    for line in metrics.splitlines():
        if line.startswith("ml_assets_closed_connections_total"):
            print(f"  {line.removeprefix('ml_assets_')}")
    return report(periods)


def report(periods: dict[str, list[Period]]) -> int:
    """Print the table; return 1 when an honest request failed or the responses took too long, else 0."""
    titles = f"{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'/health p99':>13}{'max':>9}"
    print(f"{'honest':14}{'requests':>10}{'failed':>8}{titles}")
    slowest: dict[str, float] = {}
    failed = 0
    for name, rounds in periods.items():
        seconds = [second for period in rounds for second in period.seconds]
        health = [second for period in rounds for second in period.health]
        failed += sum(period.failed for period in rounds)
        slowest[name] = quantile(seconds, 0.99)
        figures = "".join(f"{quantile(seconds, share):9.2f}" for share in (0.5, 0.99, 1.0))
        of_health = f"{quantile(health, 0.99):13.2f}{quantile(health, 1.0):9.2f}"
        print(f"{name:14}{len(seconds):10,}{sum(period.failed for period in rounds):8}{figures}{of_health}")
    ratio = slowest["with hostile"] / slowest["alone"]
    print(f"p99 with hostile clients / alone: {ratio:.2f} (at most {MAX_RATIO:g})")
    return int(failed > 0 or ratio > MAX_RATIO)


def main() -> None:
    """Run the soak, or the process of the hostile clients that it starts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=1_000.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--hostile", nargs=2)
    arguments = parser.parse_args()
    if arguments.hostile:
        # A connection that the service closes is what these clients are there for.
        logging.disable()
        asyncio.run(misuse(int(arguments.hostile[0]), json.loads(arguments.hostile[1])))
        return
    with tempfile.TemporaryDirectory() as place:
        sys.exit(measure(Path(place), arguments.rate, arguments.seconds, arguments.rounds, arguments.connections))


if __name__ == "__main__":
    main()
