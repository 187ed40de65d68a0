"""The summary names the live versions of the newest day, and those of now if they differ."""

import io
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from ml_assets.cli.console.live_versions import print_live_versions, print_why_not_live
from ml_assets.core.release.release_state import Release, Version, pause, roll_back, start

DAY = date(2025, 1, 9)
FIRST = Release(1, champion=Version(1, "a", date(2025, 1, 4)))
CANARY = start(FIRST, Version(7, "b", date(2025, 1, 8)), 25, DAY)
CHAMPION = "version 1 of 2025-01-04"
BOTH = f"{CHAMPION}, version 7 of 2025-01-08 for 25 percent of the entities"


@pytest.mark.parametrize(
    ("of_day", "latest", "lines"),
    [
        (Release(), Release(), ["Live          no model"]),
        (CANARY, CANARY, [f"Live          {BOTH}"]),
        (CANARY, pause(CANARY, True), [f"Live          {BOTH}"]),
        (
            CANARY,
            roll_back(CANARY),
            [f"Live          {BOTH}, for the rows of {DAY}", f"Live now      {CHAMPION}, by release 3"],
        ),
    ],
)
def test_a_release_after_the_newest_day_is_printed_as_what_is_live_now(of_day, latest, lines):
    stages: Any = SimpleNamespace(
        predictions=SimpleNamespace(live={DAY: of_day}.get, ledger=SimpleNamespace(latest=lambda: latest))
    )
    printed = io.StringIO()
    print_live_versions(Console(file=printed, width=40), DAY, stages)
    assert printed.getvalue().splitlines() == lines


@pytest.mark.parametrize(
    ("latest", "line"),
    [
        (CANARY, ""),
        (
            roll_back(CANARY),
            f"Not live      version 9 of 2025-01-08 is registered, and {CHAMPION} stays live: it was rolled back or "
            "replaced, and does not go live again by itself. ml-assets promote small --version 9 makes it live now\n",
        ),
    ],
)
def test_a_version_that_was_registered_again_is_known_by_its_digest(latest, line):
    stages: Any = SimpleNamespace(
        predictions=SimpleNamespace(ledger=SimpleNamespace(latest=lambda: latest)),
        registration=SimpleNamespace(
            entry=lambda day: {"version": 9, "model_digest": "b"}, why_not_registered=lambda day: None
        ),
    )
    needed, spec = SimpleNamespace(model_day=lambda stages: date(2025, 1, 8)), SimpleNamespace(name="small")
    printed = io.StringIO()
    print_why_not_live(Console(file=printed, width=40), spec, needed, stages)  # type: ignore[arg-type]
    assert printed.getvalue() == line
