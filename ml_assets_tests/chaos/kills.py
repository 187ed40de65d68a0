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
    """What was done to a world, and what was found. kills: each. said: what the runs afterwards said of it. wrong:
    differences and torn days.
    """

    what: str
    kills: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def boundaries_by_step(count: Path) -> dict[str, dict[str, int]]:
    """How often a run that was not disturbed crossed each boundary, by the step that it was in, from the file that the
    run has written.
    """
    found: dict[str, dict[str, int]] = {}
    step = STEPS[0]
    for line in count.read_text().splitlines():
        if line.startswith(START_OF_STEP):
            step = line.removeprefix(START_OF_STEP)
        of_step = found.setdefault(step, {})
        of_step[line] = of_step.get(line, 0) + 1
    return found


def chosen_kills(boundaries: Mapping[str, int], number: int, draw: random.Random) -> Iterator[Kill]:
    """Kills of one step: at its boundaries, each as likely as every other however often it is crossed, and within a
    moment after them.
    """
    for _ in range(number):
        at = draw.choice(sorted(boundaries))
        later = draw.choice([0.0, 0.0, draw.uniform(0.0002, 0.03)])
        # The sooner the more is left for the next one.
        yield Kill(at, draw.randint(1, draw.randint(1, boundaries[at])), later)


def kill_through(
    place: Place,
    kills: Mapping[str, Sequence[Kill]],
    undisturbed: Content,
    what: str,
    began_with: Mapping[tuple[str, str], str],
) -> Report:
    """Run through all steps, killed in each as asked; every run goes on where the one before it died."""

    def attempt(log: Path, names: Sequence[str], kill: Kill) -> int | None:
        return run(place, log, kill=kill, names=names)

    return _chain(place, {step: list(kills.get(step, ())) for step in STEPS}, attempt, undisturbed, what, began_with)


def kill_through_requests(
    place: Place, proxy: FaultProxy, number: int, draw: random.Random, undisturbed: Content
) -> Report:
    """The same on S3, killed at requests, before they are passed on or before they are answered."""

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
    what: str,
    began_with: Mapping[tuple[str, str], str],
) -> Report:
    report, begin = Report(what), 0
    wanted = {
        (part, of): rows
        for part, days in undisturbed.items()
        if part.startswith("rows of")
        for of, rows in days.items()
    }
    for last, step in enumerate(STEPS):
        for number, kill in enumerate(kills[step]):
            log = place.root / f"{step}-{number}.log"
            status = attempt(log, _assets(begin, last), kill)
            report.said += told(log)
            if status != KILLED:
                # They were over before it came to that moment.
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
        if status := run(place, log, names=_assets(begin, len(STEPS))):
            report.wrong.append(f"the last run failed with status {status}: {log.read_text()[-1500:]}")
        report.said += told(log)
    found = content(place)
    # The runs after a kill also write the reports of days that did not change, which show the rows of their neighbours
    # as they are by then.
    found["reports"] = {name: digest for name, digest in found["reports"].items() if name in undisturbed["reports"]}
    report.wrong += differences(undisturbed, found)
    return report


def _assets(first: int, last: int) -> list[str]:
    steps = STEPS[first : last + 1]
    return [*steps, *(["quarantined_data"] if "validated_data" in steps else [])]


def torn_days(
    held: Mapping[tuple[str, str], str],
    wanted: Mapping[tuple[str, str], str],
    began_with: Mapping[tuple[str, str], str],
) -> list[str]:
    """Days of tables that are neither as they were nor as they will be. The ledger grows row by row, and is compared in
    the end.
    """
    whole = {day: rows for day, rows in held.items() if day[0] != "rows of release_ledger"}
    return [
        f"{of} of {part}"
        for (part, of), rows in whole.items()
        if rows not in (wanted.get((part, of)), began_with.get((part, of)))
    ]


def told(log: Path) -> list[str]:
    """What a run said that people should know, without what Dagster puts before it."""
    lines = [line for line in log.read_text().splitlines() if " WARNING " in line or line.startswith("WARNING")]
    return [re.sub(r"^.* - |^WARNING \S+ ", "", line) for line in lines]
