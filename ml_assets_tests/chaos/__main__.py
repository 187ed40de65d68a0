"""Kill runs, spoil what they work with, and compare what is left with what nobody disturbed: python -m
ml_assets_tests.chaos --kills 200 --seed 1.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from ml_assets_tests.chaos.kills import Report
from ml_assets_tests.chaos.suite import run_suite

MEMORY = Path("/dev/shm")
MOST_TOLD, MOST_CHARACTERS = 6, 700


def show(report: Report, begun: float) -> None:
    """A few lines about a trial."""
    verdict = f"{len(report.wrong)} WRONG" if report.wrong else "as undisturbed"
    print(f"{time.monotonic() - begun:6.0f} s  {report.what:45} {len(report.kills):4} kills  {verdict}", flush=True)
    said = Counter(line for line in report.said if "no model" not in line and "would be" not in line)
    for line, times in said.most_common(MOST_TOLD):
        print(f"            {times} x {line[:MOST_CHARACTERS]}")
    for line in report.wrong:
        print(f"    WRONG   {line[:2000]}", flush=True)


def main() -> None:
    """Do what was asked, print a line for each trial, and exit with 1 when anything differs."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--keep", action="store_true", help="leave the worlds where they are")
    asked = arguments.parse_args()
    root, begun = Path(tempfile.mkdtemp(prefix="chaos-", dir=MEMORY if MEMORY.is_dir() else None)), time.monotonic()
    print(f"seed {asked.seed}, worlds in {root}", flush=True)
    try:
        reports = run_suite(root, asked.kills, asked.seed, lambda report: show(report, begun))
    finally:
        if not asked.keep:
            shutil.rmtree(root, ignore_errors=True)
    kills, wrong = sum(len(report.kills) for report in reports), sum(bool(report.wrong) for report in reports)
    print(
        f"{kills} kills in {len(reports)} trials, {wrong} of them not as undisturbed, {time.monotonic() - begun:.0f} s, seed {asked.seed}"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
