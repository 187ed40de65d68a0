"""Processes of their own, with their wall time, processor time and peak memory."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

REPOSITORY = Path(__file__).resolve().parents[2]
# What a person has set for a real instance must reach no benchmark.
PREFIXES = ("ML_ASSETS_", "MLFLOW_", "DAGSTER_", "AWS_", "OTEL_", "PYTHON")


class ProcessFailed(Exception):
    """A measured process ended with an error; the message has the end of what it printed."""


@dataclass(frozen=True)
class Measurement:
    """Cost of a process and of those that it waited for.

    wall, processor: seconds, imports included. peak_mb: the largest resident set of one process, in MB.
    """

    wall: float
    processor: float
    peak_mb: float


def environment(root: Path | None = None, **variables: str) -> dict[str, str]:
    """Return the variables of a process that imports the project from `root` (this repository by default)."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    # Benchmarks come from this repository, the package from `root`, none from the current directory.
    paths = {"PYTHONPATH": f"{root or REPOSITORY}{os.pathsep}{REPOSITORY}", "PYTHONSAFEPATH": "1"}
    return inherited | paths | variables


def python(*arguments: object) -> list[str]:
    """Return the command that runs this Python with arguments, without warnings."""
    return [sys.executable, "-W", "ignore", *map(str, arguments)]


def measure(
    command: Sequence[str], variables: Mapping[str, str] | None = None, folder: Path = REPOSITORY
) -> Measurement:
    """Run a command to its end in a folder, with variables (those of `environment` by default), and measure it.

    Raises:
        ProcessFailed: when its exit code is not 0.
    """
    with TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(variables or environment()), cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")[-4000:]
            raise ProcessFailed(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    return Measurement(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def report_of(*arguments: object, variables: Mapping[str, str] | None = None):
    """Run Python with arguments, and return the JSON in the last line that it printed."""
    ran = subprocess.run(
        python(*arguments), env=dict(variables or environment()), cwd=REPOSITORY, capture_output=True, text=True
    )
    if ran.returncode:
        raise ProcessFailed(f"{' '.join(map(str, arguments))} ended with {ran.returncode}:\n{ran.stderr[-4000:]}")
    return json.loads(ran.stdout.splitlines()[-1])


def alternate(rounds: int, contenders: Mapping[str, Callable[[], Measurement]]) -> dict[str, list[Measurement]]:
    """Measure each contender once a round, in turn, and in the reverse order in every second round.

    Args:
        rounds: number of rounds.
        contenders: by name, what runs one and returns its measurement.
    """
    series: dict[str, list[Measurement]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in contenders if number % 2 == 0 else reversed(contenders):
            series[name].append(contenders[name]())
    return series
