"""Benchmark of the scoring service against a bare FastAPI application that scores one row with XGBoost.

    python benchmarks/service.py [--seconds N] [--rounds N] [--connections N]

The service runs as `ml-assets serve` does, on a lake with the history of the simulated card transactions and a registry
with two versions. It reads a raw row, validates it by the contract, makes the features from the history and scores
them. The floor gets the same rows as finished features, validates their types and scores them with the same booster; it
knows no history, no registry and no metrics. Each is a process of its own, one worker; the load comes from this
process, over connections that stay open. The two take turns in the same minutes. While the service is measured,
champion and percentage of the challenger change every second. The exit code is 1 when a request fails, or when the
service reaches less than 0.7 of the floor's requests a second.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
MODEL = "fraud_detection"
HISTORY_DAYS = 38
ROUNDS_OF_BOOSTING = 150
MIN_RATIO = 0.7


class Load(NamedTuple):
    """Responses of one period of load.

    seconds: of each response. elapsed: of the period. failed: responses with another status than 200, and connections
    that ended. processor: processor seconds of the server.
    """

    seconds: list[float]
    elapsed: float
    failed: int
    processor: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.seconds) / self.elapsed

    def quantile(self, share: float) -> float:
        """Return the milliseconds within which a share of the requests was answered."""
        return 1000 * sorted(self.seconds)[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


def floor_app(model_file: str, names: list[str]):
    """Build a bare application: features in, score out."""
    import numpy as np
    import xgboost as xgb
    from fastapi import FastAPI
    from pydantic import create_model

    booster = xgb.Booster(model_file=model_file)
    booster.set_param({"nthread": 1})
    row = create_model("Features", **{name: (float, ...) for name in names})
    app = FastAPI()

    @app.post("/score")
    async def score(features: row) -> dict[str, float]:
        matrix = np.array([[getattr(features, name) for name in names]], dtype=np.float32)
        return {"score": float(booster.inplace_predict(matrix)[0])}

    return app


def serve_floor(model_file: str, names: str, port: int) -> None:
    """Serve the floor on a port, with the same server as the service."""
    from ml_assets.service.server.run import run_server

    run_server(floor_app(model_file, json.loads(names)), "127.0.0.1", port)


def prepare(place: Path) -> tuple[list[bytes], list[bytes], list[str], Path]:
    """Write a lake with history and a registry with two versions.

    Returns:
        Bodies of requests for the service and for the floor, and names of features and model file of the floor.
    """
    import pandas as pd

    from ml_assets.cli.command_inputs import require_spec
    from ml_assets.cli.simulator import simulate_days
    from ml_assets.core.features.point_in_time import build_features
    from ml_assets.core.ingestion.file_reader import read_landed_file
    from ml_assets.core.model_spec.file_feed import rows_feed
    from ml_assets.core.tables.schemas import LANDED_OBJECTS_SCHEMA, row_schema, to_pandas
    from ml_assets.core.validation.validate_day import validate_day
    from ml_assets.pipeline.asset_names import VALIDATED
    from ml_assets.resources.lake.lake import Lake
    from ml_assets.resources.mlflow.connection import connect

    spec, lake = require_spec(MODEL), Lake(uri=str(place / "lake"))
    feed, days = rows_feed(spec), {}
    for day, rows in simulate_days(spec.source.start, HISTORY_DAYS + 1):
        raw = read_landed_file(feed, "rows.csv", rows.to_csv(index=False).encode()).rows
        days[day] = validate_day(
            feed,
            day,
            raw,
            LANDED_OBJECTS_SCHEMA.empty_table().from_pylist(
                [{"key": "rows.csv", "rows": len(rows)}], LANDED_OBJECTS_SCHEMA
            ),
        ).accepted
    today = max(days)
    frames = {day: to_pandas(table) for day, table in days.items()}
    history = {day: table for day, table in days.items() if day < today}
    lake.table(MODEL, VALIDATED, row_schema(feed)).commit(history, dict.fromkeys(history, 1))
    features = build_features(spec, frames[today], pd.concat([frames[day] for day in history], ignore_index=True))
    client = connect(f"sqlite:///{place / 'mlflow.db'}")
    client.create_registered_model(MODEL)
    for number, seed in enumerate((1, 2), start=1):
        digest = write_model(spec, lake, features, seed)
        client.create_model_version(
            MODEL, "file:///nowhere", tags={"model_digest": digest, "day": str(today)}, await_creation_for=0
        )
        client.set_registered_model_alias(MODEL, ("champion", "challenger")[number - 1], str(number))
    columns = [name for name in spec.columns if name != spec.target]
    rows = [row.to_json(date_format="iso", date_unit="us").encode() for _, row in frames[today][columns].iterrows()]
    numbers = features[spec.feature_names()].assign(
        **{name: features[name].astype("category").cat.codes for name in spec.categorical_features()}
    )
    plain = [json.dumps(row).encode() for row in numbers.fillna(0.0).astype(float).to_dict("records")]
    return rows, plain, list(numbers), place / "lake" / MODEL / "models" / digest / "model.ubj"


def write_model(spec, lake, features, seed: int) -> str:
    """Train a model of the size that the pipeline makes, put its files into the lake, return its digest."""
    import hashlib

    import xgboost as xgb

    from ml_assets.core.model.preprocessing import PreprocessingFit, to_bytes
    from ml_assets.core.model.scorer import column_types, to_matrix

    fit = PreprocessingFit(spec)
    fit.add(features)
    fitted = {**fit.fitted(), "threshold": 0.5}
    data = xgb.DMatrix(
        to_matrix(fitted, features),
        features[spec.target].astype(int),
        feature_types=column_types(fitted),
        enable_categorical=True,
    )
    parameters = {
        "objective": "binary:logistic",
        "max_depth": 6,
        "eta": 0.1,
        "subsample": 0.8,
        "seed": seed,
        "nthread": 1,
    }
    model = bytes(xgb.train(parameters, data, ROUNDS_OF_BOOSTING).save_raw("ubj"))
    digest = hashlib.sha256(model).hexdigest()
    for name, content in [("model.ubj", model), ("preprocessing.json", to_bytes(fitted))]:
        lake.files.write(f"{MODEL}/models/{digest}/{name}", content)
    return digest


def move(uri: str) -> None:
    """Change champion, challenger and percentage every second until the process is ended; print a line each time."""
    from ml_assets.resources.mlflow.connection import connect

    client = connect(uri)
    for number in range(10**6):
        client.set_registered_model_alias(MODEL, "champion", str(1 + number % 2))
        client.set_registered_model_alias(MODEL, "challenger", str(2 - number % 2))
        client.set_registered_model_tag(MODEL, "canary_percent", str((5, 25, 50, 100, 0)[number % 5]))
        print(number, flush=True)
        time.sleep(1)


class Connection(asyncio.Protocol):
    """One connection that stays open; each request follows the response to the one before."""

    def __init__(self, requests: list[bytes], first: int, step: int, load: "Clock") -> None:
        self._requests, self._next, self._step, self._load = requests, first, step, load
        self._buffer, self._sent = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += self._step

    def data_received(self, data: bytes) -> None:
        """Record a complete response, and send the next request until the time is over."""
        self._buffer += data
        head, gap, body = self._buffer.partition(b"\r\n\r\n")
        if not gap or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            return
        self._buffer = b""
        self._load.record_response(time.perf_counter() - self._sent, head.startswith(b"HTTP/1.1 200"))
        if time.perf_counter() < self._load.end:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Count a connection that ends too early as a failed request."""
        self._load.record_closed(is_early=time.perf_counter() < self._load.end)


class Clock:
    """The counters that the connections of one period share."""

    def __init__(self, seconds: float, connections: int) -> None:
        self.begun = time.perf_counter()
        self.end, self._open = self.begun + seconds, connections
        self.seconds, self.failed, self.done = [], 0, asyncio.get_running_loop().create_future()

    def record_response(self, seconds: float, is_good: bool) -> None:
        """Count a response."""
        self.seconds.append(seconds)
        self.failed += not is_good

    def record_closed(self, is_early: bool) -> None:
        """Count the end of a connection."""
        self.failed += is_early
        self._open -= 1
        if not self._open:
            self.done.set_result(time.perf_counter() - self.begun)


def processor_seconds(server: subprocess.Popen) -> float:
    """Return the processor seconds that a process has used (Linux)."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(server: subprocess.Popen, port: int, bodies: list[bytes], seconds: float, connections: int) -> Load:
    """Send requests over a number of connections for a number of seconds."""
    head = "POST /score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    requests = [head.format(len(body)).encode() + body for body in bodies]
    clock, used = Clock(seconds, connections), processor_seconds(server)
    for number in range(connections):
        await asyncio.get_running_loop().create_connection(
            lambda number=number: Connection(requests, number, connections, clock), "127.0.0.1", port
        )
    elapsed = await clock.done
    return Load(clock.seconds, elapsed, clock.failed, processor_seconds(server) - used)


def wait_for(address: str) -> None:
    """Wait until an address answers with 200."""
    end = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def measure(place: Path, seconds: float, rounds: int, connections: int) -> int:
    """Measure both, print the table, return the exit code."""
    import uvloop

    rows, plain, names, model = prepare(place)
    store = f"sqlite:///{place / 'mlflow.db'}"
    environment = {**os.environ, "ML_ASSETS_LAKE": str(place / "lake"), "MLFLOW_TRACKING_URI": store}
    ports = {"floor": free_port(), "service": free_port()}
    command = [sys.executable, "-W", "ignore", __file__]
    servers = {
        "floor": subprocess.Popen(
            [*command, "--floor", str(model), json.dumps(names), str(ports["floor"])], env=environment
        ),
        "service": subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "ml_assets.cli", "serve", MODEL, "--port", str(ports["service"])],
            env=environment,
        ),
    }
    loads: dict[str, list[Load]] = {"floor": [], "service": []}
    try:
        wait_for(f"http://127.0.0.1:{ports['floor']}/openapi.json")
        wait_for(f"http://127.0.0.1:{ports['service']}/ready")
        for name, bodies in [("floor", plain), ("service", rows)]:
            uvloop.run(load(servers[name], ports[name], bodies, 1.0, connections))
        for _ in range(rounds):
            loads["floor"].append(uvloop.run(load(servers["floor"], ports["floor"], plain, seconds, connections)))
            mover = subprocess.Popen([*command, "--move", store], env=environment, stdout=subprocess.PIPE)
            assert mover.stdout is not None
            mover.stdout.readline()
            loads["service"].append(uvloop.run(load(servers["service"], ports["service"], rows, seconds, connections)))
            mover.terminate()
            mover.wait()
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{ports['service']}/metrics").read().decode()
    finally:
        for server in servers.values():
            server.terminate()
            server.wait()
    return report(loads, metrics)


def report(loads: dict[str, list[Load]], metrics: str) -> int:
    """Print the table; return 1 when a request failed or the service is too slow, else 0."""
    print(
        f"{'':8}{'requests':>10}{'failed':>8}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'processor us a request':>24}"
    )
    totals = {name: add_loads(rounds) for name, rounds in loads.items()}
    for name, total in totals.items():
        processor = 1e6 * total.processor / len(total.seconds)
        figures = f"{total.rate:12,.0f}{total.quantile(0.5):9.2f}{total.quantile(0.99):9.2f}{processor:24.0f}"
        print(f"{name:8}{len(total.seconds):10,}{total.failed:8}{figures}")
    ratio = totals["service"].rate / totals["floor"].rate
    by_round = ", ".join(
        f"{service.rate / floor.rate:.2f}" for service, floor in zip(loads["service"], loads["floor"], strict=True)
    )
    print(f"service / floor: {ratio:.2f} of the requests a second (at least {MIN_RATIO}; by round {by_round})")
    print("scores by side and version:")
    for line in metrics.splitlines():
        if line.startswith("ml_assets_scored_total"):
            print(f"  {line.removeprefix('ml_assets_scored_total')}")
    return int(totals["service"].failed > 0 or totals["floor"].failed > 0 or ratio < MIN_RATIO)


def add_loads(loads: list[Load]) -> Load:
    """Add up the periods of one server."""
    return Load(
        [second for load in loads for second in load.seconds],
        sum(load.elapsed for load in loads),
        sum(load.failed for load in loads),
        sum(load.processor for load in loads),
    )


def main() -> None:
    """Run the benchmark, or one of the processes that it starts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--floor", nargs=3)
    parser.add_argument("--move")
    arguments = parser.parse_args()
    if arguments.floor:
        serve_floor(arguments.floor[0], arguments.floor[1], int(arguments.floor[2]))
    elif arguments.move:
        move(arguments.move)
    else:
        with tempfile.TemporaryDirectory() as place:
            sys.exit(measure(Path(place), arguments.seconds, arguments.rounds, arguments.connections))


if __name__ == "__main__":
    main()
