"""The scoring service: requests a second against a bare application, and honest clients beside hostile ones.

The service runs as `ml-assets serve` does. It reads a raw row, validates it by the contract, makes the features from
the history and scores them; the floor gets the same rows as finished features. While the service is measured, champion
and percentage of the challenger change every second. Load comes from this process; servers have processes of their own.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.context import Context
from benchmarks.harness.process import ProcessFailed, environment, python
from benchmarks.harness.results import FLOOR, OURS, Result
from benchmarks.service.history import MODEL, prepare
from benchmarks.service.honest import KEY, Period, quantile, request, send_at_rate
from benchmarks.service.load import Load, add_loads, load, wait_for
from ml_assets_tests.support.http_server import free_port

CONNECTIONS = 16
RATE = 1_000.0
MIN_RATIO = 0.7
MAX_RATIO = 2.0


@contextmanager
def serve(command: Sequence[str], port: int, path: str, variables: dict[str, str]) -> Iterator[subprocess.Popen]:
    """Run a server until the block ends, which begins when it answers."""
    server = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}{path}")
        yield server
    finally:
        server.terminate()
        server.wait()


def variables_of(place: Path, **more: str) -> dict[str, str]:
    """Return the variables of the service on a lake and a registry under a folder."""
    uri = f"sqlite:///{place / 'mlflow.db'}"
    return environment(ML_ASSETS_LAKE=str(place / "lake"), MLFLOW_TRACKING_URI=uri, **more)


def service_command(port: int) -> list[str]:
    """Return the command that serves the model on a port."""
    return python("-m", "ml_assets.cli", "serve", MODEL, "--port", port)


def measure_service(context: Context) -> list[Result]:
    """Measure requests a second, the 99th percentile and processor time a request of service and floor, in turn.

    Raises:
        ProcessFailed: when a request fails.
    """
    import uvloop

    place, seconds = context.folder("service"), context.sizes.seconds
    rows, plain, names, model = prepare(place)
    variables, ports = variables_of(place), {OURS: free_port(), FLOOR: free_port()}
    floor_command = python("-m", "benchmarks.service.floor_app", model, json.dumps(names), ports[FLOOR])
    mover_command = python("-m", "benchmarks.service.history", variables["MLFLOW_TRACKING_URI"])
    loads: dict[str, list[Load]] = {OURS: [], FLOOR: []}
    with (
        serve(floor_command, ports[FLOOR], "/openapi.json", variables) as floor,
        serve(service_command(ports[OURS]), ports[OURS], "/ready", variables) as service,
    ):
        # Both are warm before the first round.
        uvloop.run(load(floor, ports[FLOOR], plain, 1.0, CONNECTIONS))
        uvloop.run(load(service, ports[OURS], rows, 1.0, CONNECTIONS))
        for _ in range(context.sizes.short_rounds):
            loads[FLOOR].append(uvloop.run(load(floor, ports[FLOOR], plain, seconds, CONNECTIONS)))
            with subprocess.Popen(mover_command, env=variables, stdout=subprocess.PIPE) as mover:
                assert mover.stdout is not None
                mover.stdout.readline()
                loads[OURS].append(uvloop.run(load(service, ports[OURS], rows, seconds, CONNECTIONS)))
                mover.terminate()
    totals = {name: add_loads(of_rounds) for name, of_rounds in loads.items()}
    if failed := sum(total.failed for total in totals.values()):
        raise ProcessFailed(f"{failed} requests failed")
    rates = {name: [period.rate for period in of_rounds] for name, of_rounds in loads.items()}
    slowest = {name: [total.quantile(0.99)] for name, total in totals.items()}
    cost = {name: [1e6 * total.processor / len(total.seconds)] for name, total in totals.items()}
    return [
        Result("service", "scoring service, requests a second", rates, FLOOR, MIN_RATIO, "a second", at_least=True),
        Result("service", "its 99th percentile", slowest, FLOOR, None, "ms"),
        Result("service", "its processor time for a request", cost, FLOOR, None, "us"),
    ]


def measure_soak(context: Context) -> list[Result]:
    """Measure the 99th percentile of honest clients with hostile ones beside them, against that without (the floor).

    Raises:
        ProcessFailed: when an honest request fails.
    """
    place, seconds = context.folder("soak"), context.sizes.seconds
    rows = prepare(place)[0]
    requests, port = [request(body) for body in rows], free_port()
    variables = variables_of(place, ML_ASSETS_API_KEY=KEY)
    hostile_command = python("-m", "benchmarks.service.hostile", port, rows[0].decode())
    periods: dict[str, list[Period]] = {OURS: [], FLOOR: []}

    def send(duration: float) -> Period:
        return asyncio.run(send_at_rate(port, requests, RATE, duration, 2 * CONNECTIONS))

    with serve(service_command(port), port, "/ready", variables):
        send(1.0)
        for _ in range(context.sizes.short_rounds):
            periods[FLOOR].append(send(seconds))
            hostile = subprocess.Popen(hostile_command, env=variables, stdout=subprocess.DEVNULL)
            time.sleep(2)
            periods[OURS].append(send(seconds))
            hostile.terminate()
            hostile.wait()
            time.sleep(1)
    if failed := sum(period.failed for of_rounds in periods.values() for period in of_rounds):
        raise ProcessFailed(f"{failed} honest requests failed")
    title = f"99th percentile of {RATE:,.0f} requests a second beside hostile clients (floor: without them)"
    samples = {name: [quantile(period.seconds, 0.99) for period in of_rounds] for name, of_rounds in periods.items()}
    return [Result("soak", title, samples, FLOOR, MAX_RATIO, "ms")]
