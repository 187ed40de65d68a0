"""The scoring service under load while aliases and canary share move, against a bare FastAPI application that scores
one row with XGBoost.

    python benchmarks/service.py [--seconds N] [--rounds N] [--connections N]

Ours: a lake with the history of the simulated card transactions, a registry with two versions, `cli.serve` as it is. It
reads a raw row, validates it by the contract, makes the features from the history and scores them. The floor gets the
same rows as finished features, validates their types and scores them with the same booster; it knows no history, no
registry and no metrics. Each is a process of its own, one worker; the load comes from this process, over connections
that stay open. The two take turns in the same minutes. During ours the champion changes every second, and the share of
the challenger with it. The exit code is 1 when a request failed, or when ours reaches less than 0.7 of the floor's
requests a second.
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
MODEL, HISTORY_DAYS, ROUNDS_OF_BOOSTING, ENOUGH = "fraud_detection", 38, 150, 0.7


class Load(NamedTuple):
    """Answers of one stretch of load.

    seconds: of each answer. elapsed: of all. failed: answers with another status than 200, and connections that ended.
    processor: seconds that the server's processor worked meanwhile.
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
        """Milliseconds within which that share of the requests was answered."""
        return 1000 * sorted(self.seconds)[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


def floor_app(model_file: str, names: list[str]):
    """A bare application: features in, score out."""
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
    """The floor on a port, served as ours is."""
    from ml_assets.cli.commands.serve import run_server

    run_server(floor_app(model_file, json.loads(names)), "127.0.0.1", port)


def prepare(place: Path) -> tuple[list[bytes], list[bytes], list[str], Path]:
    """A lake with history and a registry with two versions; bodies of requests for ours and for the floor, the names
    and the model of the floor.
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
    asked = [row.to_json(date_format="iso", date_unit="us").encode() for _, row in frames[today][columns].iterrows()]
    numbers = features[spec.feature_names()].assign(
        **{name: features[name].astype("category").cat.codes for name in spec.categorical_features()}
    )
    plain = [json.dumps(row).encode() for row in numbers.fillna(0.0).astype(float).to_dict("records")]
    return asked, plain, list(numbers), place / "lake" / MODEL / "models" / digest / "model.ubj"


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
    """Change champion, challenger and share every second, until the process is ended; a line for each time."""
    from ml_assets.resources.mlflow.connection import connect

    client = connect(uri)
    for number in range(10**6):
        client.set_registered_model_alias(MODEL, "champion", str(1 + number % 2))
        client.set_registered_model_alias(MODEL, "challenger", str(2 - number % 2))
        client.set_registered_model_tag(MODEL, "canary_percent", str((5, 25, 50, 100, 0)[number % 5]))
        print(number, flush=True)
        time.sleep(1)


class Connection(asyncio.Protocol):
    """One connection that stays open: a request follows the answer to the one before."""

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
        """Take a whole answer and go on until the time is over."""
        self._buffer += data
        head, gap, body = self._buffer.partition(b"\r\n\r\n")
        if not gap or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            return
        self._buffer = b""
        self._load.answered(time.perf_counter() - self._sent, head.startswith(b"HTTP/1.1 200"))
        if time.perf_counter() < self._load.end:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that ends before its time is a failed request."""
        self._load.closed(is_early=time.perf_counter() < self._load.end)


class Clock:
    """What the connections of one stretch share."""

    def __init__(self, seconds: float, connections: int) -> None:
        self.begun = time.perf_counter()
        self.end, self._open = self.begun + seconds, connections
        self.seconds, self.failed, self.done = [], 0, asyncio.get_running_loop().create_future()

    def answered(self, seconds: float, is_good: bool) -> None:
        """Note an answer."""
        self.seconds.append(seconds)
        self.failed += not is_good

    def closed(self, is_early: bool) -> None:
        """Note the end of a connection."""
        self.failed += is_early
        self._open -= 1
        if not self._open:
            self.done.set_result(time.perf_counter() - self.begun)


def processor_seconds(server: subprocess.Popen) -> float:
    """Seconds of processor time that a process has taken (Linux)."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(server: subprocess.Popen, port: int, bodies: list[bytes], seconds: float, connections: int) -> Load:
    """Ask over so many connections for so long."""
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
    """Until an address answers with 200."""
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
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def measure(place: Path, seconds: float, rounds: int, connections: int) -> int:
    """Measure both, print the table, return the exit code."""
    import uvloop

    ours, plain, names, model = prepare(place)
    store = f"sqlite:///{place / 'mlflow.db'}"
    environment = {**os.environ, "ML_ASSETS_LAKE": str(place / "lake"), "MLFLOW_TRACKING_URI": store}
    ports = {"floor": free_port(), "ours": free_port()}
    command = [sys.executable, "-W", "ignore", __file__]
    servers = {
        "floor": subprocess.Popen(
            [*command, "--floor", str(model), json.dumps(names), str(ports["floor"])], env=environment
        ),
        "ours": subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "ml_assets.cli", "serve", MODEL, "--port", str(ports["ours"])],
            env=environment,
        ),
    }
    found: dict[str, list[Load]] = {"floor": [], "ours": []}
    try:
        wait_for(f"http://127.0.0.1:{ports['floor']}/openapi.json")
        wait_for(f"http://127.0.0.1:{ports['ours']}/ready")
        for what, bodies in [("floor", plain), ("ours", ours)]:
            uvloop.run(load(servers[what], ports[what], bodies, 1.0, connections))
        for _ in range(rounds):
            found["floor"].append(uvloop.run(load(servers["floor"], ports["floor"], plain, seconds, connections)))
            mover = subprocess.Popen([*command, "--move", store], env=environment, stdout=subprocess.PIPE)
            assert mover.stdout is not None
            mover.stdout.readline()
            found["ours"].append(uvloop.run(load(servers["ours"], ports["ours"], ours, seconds, connections)))
            mover.terminate()
            mover.wait()
        sides = urllib.request.urlopen(f"http://127.0.0.1:{ports['ours']}/metrics").read().decode()
    finally:
        for server in servers.values():
            server.terminate()
            server.wait()
    return report(found, sides)


def report(found: dict[str, list[Load]], metrics: str) -> int:
    """Print the table; 1 when a request failed or ours is too slow."""
    print(
        f"{'':8}{'requests':>10}{'failed':>8}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'processor us a request':>24}"
    )
    every = {}
    for what, loads in found.items():
        seconds = [second for one in loads for second in one.seconds]
        every[what] = Load(
            seconds, *(sum(getattr(one, name) for one in loads) for name in ("elapsed", "failed", "processor"))
        )
    for what, one in every.items():
        times = f"{one.quantile(0.5):9.2f}{one.quantile(0.99):9.2f}"
        figures = f"{one.rate:12,.0f}{times}{1e6 * one.processor / len(one.seconds):24.0f}"
        print(f"{what:8}{len(one.seconds):10,}{one.failed:8}{figures}")
    ratio = every["ours"].rate / every["floor"].rate
    each = ", ".join(f"{ours.rate / floor.rate:.2f}" for ours, floor in zip(found["ours"], found["floor"], strict=True))
    print(f"ours / floor: {ratio:.2f} of the requests a second (at least {ENOUGH}; by round {each})")
    print("scores by side and version:")
    for line in metrics.splitlines():
        if line.startswith("ml_assets_scored_total"):
            print(f"  {line.removeprefix('ml_assets_scored_total')}")
    return int(every["ours"].failed > 0 or every["floor"].failed > 0 or ratio < ENOUGH)


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=8.0)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--connections", type=int, default=16)
    arguments.add_argument("--floor", nargs=3)
    arguments.add_argument("--move")
    asked = arguments.parse_args()
    if asked.floor:
        serve_floor(asked.floor[0], asked.floor[1], int(asked.floor[2]))
    elif asked.move:
        move(asked.move)
    else:
        with tempfile.TemporaryDirectory() as place:
            sys.exit(measure(Path(place), asked.seconds, asked.rounds, asked.connections))


if __name__ == "__main__":
    main()
