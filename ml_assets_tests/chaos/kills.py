"""Chains of kills: each stage is killed again and again, at its boundaries and at any moment, and then left to
finish.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ml_assets_tests.chaos.child import LONGEST, Kill, run, start
from ml_assets_tests.chaos.content import Content, content, differences, tables
from ml_assets_tests.chaos.places import Place
from ml_assets_tests.chaos.proxy import FaultProxy, nth
from ml_assets_tests.conftest import ASSETS

KILLED = -9
# The two tables of validation are made together.
STEPS = tuple(name for name in ASSETS if name != "quarantined_data")
START_OF_STEP = "before event STEP_START of small__"


@dataclass
class Report:
    """The outcome of a trial.

    title: the name of the trial. kills: each kill in words. messages: warnings and errors of the runs. wrong:
    differences from the undisturbed run, and torn days.
    """

    title: str
    kills: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def boundaries_by_step(count: Path) -> dict[str, dict[str, int]]:
    """Count how often an undisturbed run crossed each boundary, by step, from the file that the run has written."""
    counts: dict[str, dict[str, int]] = {}
    step = STEPS[0]
    for line in count.read_text().splitlines():
        if line.startswith(START_OF_STEP):
            step = line.removeprefix(START_OF_STEP)
        step_counts = counts.setdefault(step, {})
        step_counts[line] = step_counts.get(line, 0) + 1
    return counts


def chosen_kills(boundaries: Mapping[str, int], number: int, draw: random.Random) -> Iterator[Kill]:
    """Draw kills of one step: at its boundaries, each as likely as every other however often it is crossed, or up to
    30 ms after them.
    """
    for _ in range(number):
        at = draw.choice(sorted(boundaries))
        later = draw.choice([0.0, 0.0, draw.uniform(0.0002, 0.03)])
        # The earlier the kill, the more work is left for the next one.
        yield Kill(at, draw.randint(1, draw.randint(1, boundaries[at])), later)


def kill_through(
    place: Place,
    kills: Mapping[str, Sequence[Kill]],
    undisturbed: Content,
    title: str,
    began_with: Mapping[tuple[str, str], str],
) -> Report:
    """Run through all steps with kills in each of them; every run continues where the one before it died."""

    def attempt(log: Path, names: Sequence[str], kill: Kill) -> int | None:
        return run(place, log, kill=kill, names=names)

    by_step = {step: list(kills.get(step, ())) for step in STEPS}
    return _chain(place, by_step, attempt, undisturbed, title, began_with)


def kill_through_requests(
    place: Place, proxy: FaultProxy, number: int, draw: random.Random, undisturbed: Content
) -> Report:
    """Run through all steps on S3, killed at requests before they are passed on or before they are answered."""

    def attempt(log: Path, names: Sequence[str], kill: Kill) -> int | None:
        proxy.calm()
        process = start(place, log, names=names)
        proxy.victim, proxy.plan = process.pid, nth(kill.number, kill.at)
        process.join(LONGEST)
        proxy.calm()
        return process.exitcode

    # A step makes 30 requests and more.
    kills = {
        step: [Kill(draw.choice(["kill before", "kill after"]), draw.randint(1, 60)) for _ in range(number)]
        for step in STEPS
    }
    return _chain(place, kills, attempt, undisturbed, "new days, on S3, at requests", {})


def _chain(
    place: Place,
    kills: Mapping[str, Sequence[Kill]],
    attempt: Callable[[Path, Sequence[str], Kill], int | None],
    undisturbed: Content,
    title: str,
    began_with: Mapping[tuple[str, str], str],
) -> Report:
    report, begin = Report(title), 0
    wanted = {
        (part, day): rows
        for part, days in undisturbed.items()
        if part.startswith("rows of")
        for day, rows in days.items()
    }
    for last, step in enumerate(STEPS):
        for number, kill in enumerate(kills[step]):
            log = place.root / f"{step}-{number}.log"
            status = attempt(log, assets_of(STEPS[begin : last + 1]), kill)
            report.messages += warnings_of(log)
            if status != KILLED:
                # The steps were over before the moment of the kill.
                if status:
                    report.wrong.append(
                        f"{step} failed with status {status} after its kills: {log.read_text()[-1500:]}"
                    )
                begin = last + 1
                break
            # It may have died in a step before this one, so the next run begins there too.
            report.kills.append(f"{step}: {kill}")
            report.wrong += [
                f"after {step}: {kill}: {torn} is torn" for torn in torn_days(tables(place), wanted, began_with)
            ]
    if begin < len(STEPS):
        log = place.root / "last.log"
        if status := run(place, log, names=assets_of(STEPS[begin:])):
            report.wrong.append(f"the last run failed with status {status}: {log.read_text()[-1500:]}")
        report.messages += warnings_of(log)
    final = content(place)
    # The runs after a kill also write the reports of days that did not change, which show the rows of their neighbours
    # as they are by then.
    final["reports"] = {name: digest for name, digest in final["reports"].items() if name in undisturbed["reports"]}
    report.wrong += differences(undisturbed, final)
    return report


def assets_of(steps: Sequence[str]) -> list[str]:
    """List the assets that some steps make."""
    return [*steps, *(["quarantined_data"] if "validated_data" in steps else [])]


def torn_days(
    rows_by_day: Mapping[tuple[str, str], str],
    wanted: Mapping[tuple[str, str], str],
    began_with: Mapping[tuple[str, str], str],
) -> list[str]:
    """List days of tables that are neither as they were nor as they will be.

    The ledger grows row by row, and is compared at the end.
    """
    whole = {day: rows for day, rows in rows_by_day.items() if day[0] != "rows of release_ledger"}
    return [
        f"{day} of {part}"
        for (part, day), rows in whole.items()
        if rows not in (wanted.get((part, day)), began_with.get((part, day)))
    ]


def warnings_of(log: Path) -> list[str]:
    """List the warnings in the log of a run, without the prefix that Dagster puts before them."""
    lines = [line for line in log.read_text().splitlines() if " WARNING " in line or line.startswith("WARNING")]
    return [re.sub(r"^.* - |^WARNING \S+ ", "", line) for line in lines]
