"""A tick of the arrivals sensor without changes, by number of landed objects, against a bare listing."""

import subprocess

from benchmarks.harness.context import Context
from benchmarks.harness.process import environment, measure, python, report_of
from benchmarks.harness.results import FLOOR, OURS, Result
from benchmarks.sensor.store import DAYS

UNITS = {"processor": "CPU s", "requests": "requests"}


def measure_sensor(context: Context) -> list[Result]:
    """Measure processor seconds, requests and peak memory of a tick for each number of objects."""
    # The store is this benchmark's own.
    variables = environment(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    results = []
    for objects in context.sizes.objects:
        with subprocess.Popen(
            python("-m", "benchmarks.sensor.store", objects),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=variables,
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                address = server.stdout.readline().strip()
                measure(python("-m", "benchmarks.sensor.tick", "fill", address), variables)
                figures = {
                    name: report_of("-m", "benchmarks.sensor.tick", task, address, variables=variables)
                    for name, task in ((FLOOR, "floor"), (OURS, "tick"))
                }
            finally:
                server.stdin.close()
        title = f"a tick of the sensor over {DAYS} days and {objects:,} objects, nothing changed"
        peak = {name: figure["peak_mb"] for name, figure in figures.items()}
        for key, unit in UNITS.items():
            samples = {name: [figure[key]] for name, figure in figures.items()}
            results.append(Result("sensor", title, samples, FLOOR, None, unit, peak_mb=peak))
    return results
