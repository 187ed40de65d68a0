"""What the tests of releases share: versions, moves, and the work of processes that release at the same time."""

import os
from datetime import date

from ml_assets.core.releases import Action, Move, Release, Version, promote
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger, LedgerConflict

DAY = date(2025, 3, 10)
FIRST, SECOND, THIRD = (Version(number, f"digest-{number}", date(2025, 3, number)) for number in (1, 2, 3))


def move(action: Action, after: Release, day: date = DAY, actor: str = "run 1", reason: str = "a reason", **metrics: float) -> Move:
    """A move with what no test is about left as it is."""
    return Move(action, after, day, actor, reason, metrics)


def release_at_once(uri: str, s3: dict[str, str], name: str, rounds: int, start, results) -> None:
    """The work of one of several processes: each round all promote a version of their own on what was live before it, at the same moment."""
    # Its parent began before there were credentials.
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    try:
        won = []
        for number in range(rounds):
            ledger = Ledger(Lake(uri=uri, s3=s3), "small")
            before = ledger.latest()
            assert before.number == number
            start.wait(timeout=60)
            try:
                ledger.append(before, move("promote", promote(before, Version(number + 1, name, DAY)), actor=name))
                won.append(number + 1)
            except LedgerConflict:
                pass
            start.wait(timeout=60)
        results.put((name, won))
    except BaseException as error:
        results.put(repr(error))
        raise
