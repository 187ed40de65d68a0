"""Benchmark of the import of the code location with its definitions, against the import of Dagster alone.

    python benchmarks/start_up.py [--pairs N]

Each pair is two new Python processes, one after the other, and what counts is the median of the ratios of their
processor seconds. Modules are those that each of them has imported at the end.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).resolve().parents[1]
FLOOR, LOADED = "import dagster", "import ml_assets.definitions as d; d.defs()"
MEASURE = """
import json, sys, time
begun = time.process_time()
{}
print(json.dumps([time.process_time() - begun, len(sys.modules)]))
"""


def measure(statement: str) -> tuple[float, int]:
    """Return processor seconds and number of modules of a new process that runs a statement."""
    command = [sys.executable, "-c", MEASURE.format(statement)]
    return tuple(json.loads(subprocess.run(command, capture_output=True, check=True, cwd=REPOSITORY).stdout))


def main() -> None:
    """Measure pairs of processes and print medians and ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7, help="number of pairs of processes")
    pairs = [(measure(FLOOR), measure(LOADED)) for _ in range(parser.parse_args().pairs)]
    ratio = median(loaded[0] / floor[0] for floor, loaded in pairs)
    for name, index in (("import dagster", 0), ("definitions", 1)):
        seconds, modules = median(pair[index][0] for pair in pairs), pairs[0][index][1]
        print(f"{name:<15} {seconds:5.2f} s of processor time, {modules:5,} modules")
    print(f"ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
