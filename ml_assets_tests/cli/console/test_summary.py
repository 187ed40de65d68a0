"""The summary names the live versions of the newest day, and those of now if they differ."""

import io
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from ml_assets.cli.console.summary import print_live_versions
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
