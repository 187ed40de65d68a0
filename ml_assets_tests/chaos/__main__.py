"""Kill runs, inject faults, and compare the result with an undisturbed run.

python -m ml_assets_tests.chaos --kills 200 --seed 1
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ml_assets_tests.chaos.kills import Report
from ml_assets_tests.chaos.suite import run_suite
from ml_assets_tests.support.disk import MEMORY

MOST_MESSAGES, MOST_CHARACTERS = 6, 700


def show(report: Report, begun: float) -> None:
    """Print a few lines about a trial."""
    verdict = f"{len(report.wrong)} WRONG" if report.wrong else "as undisturbed"
    print(f"{time.monotonic() - begun:6.0f} s  {report.title:45} {len(report.kills):4} kills  {verdict}", flush=True)
    messages = Counter(line for line in report.messages if "no model" not in line and "would be" not in line)
    for line, times in messages.most_common(MOST_MESSAGES):
        print(f"            {times} x {line[:MOST_CHARACTERS]}")
    for line in report.wrong:
        print(f"    WRONG   {line[:2000]}", flush=True)


def outcome(report: Report) -> str:
    """Say in a few words how a trial ended."""
    if report.wrong:
        return f"{len(report.wrong)} WRONG: {report.wrong[0][:100]}"
    return next((line for line in report.messages if line.startswith("left out")), "as undisturbed")


def table(reports: Sequence[Report]) -> Table:
    """Build the table of faults and outcomes; trials of the same fault share a line."""
    lines: dict[str, list[Report]] = {}
    for report in reports:
        lines.setdefault(report.title, []).append(report)
    rows = Table("fault", "trials", "kills", "outcome")
    for title, same in lines.items():
        outcomes = dict.fromkeys(map(outcome, same))
        rows.add_row(title, str(len(same)), str(sum(len(report.kills) for report in same)), "; ".join(outcomes))
    return rows


def main() -> None:
    """Run the trials, print a line for each of them and a table of all, and exit with 1 when anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the directories of the trials")
    arguments = parser.parse_args()
    root, begun = Path(tempfile.mkdtemp(prefix="chaos-", dir=MEMORY if MEMORY.is_dir() else None)), time.monotonic()
    print(f"seed {arguments.seed}, worlds in {root}", flush=True)
    try:
        reports = run_suite(root, arguments.kills, arguments.seed, lambda report: show(report, begun))
    finally:
        if not arguments.keep:
            shutil.rmtree(root, ignore_errors=True)
    Console(width=160).print(table(reports))
    kills, wrong = sum(len(report.kills) for report in reports), sum(bool(report.wrong) for report in reports)
    print(
        f"{kills} kills in {len(reports)} trials, {wrong} of them not as the undisturbed run, "
        f"{time.monotonic() - begun:.0f} s, seed {arguments.seed}"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
