"""Rollbacks in the release ledger are reported, and the next promotion resolves them."""

from datetime import UTC, date, datetime, timedelta

from ml_assets.core.operations.notifications.events import Severity, fold
from ml_assets.core.operations.notifications.release_events import events_of_releases
from ml_assets.core.release.ledger_rows import rows_of
from ml_assets.core.release.release_state import Move, Release, Version, pause, promote, roll_back, start

ONE, TWO, THREE = (Version(number, f"digest{number}", date(2025, 3, number)) for number in (1, 2, 3))
BEGIN = datetime(2025, 3, 10, tzinfo=UTC)


def ledger(*actions: tuple[str, Version | None]) -> list[dict]:
    state, rows = Release(), []
    for number, (action, version) in enumerate(actions):
        if action == "rollback":
            after = roll_back(state)
        elif version is None:
            after = pause(state, True)
        else:
            after = promote(state, version) if action == "promote" else start(state, version, 5, date(2025, 3, 10))
        rows += rows_of(
            state, Move(action, after, date(2025, 3, 10), "ann", "it is slow", {}), BEGIN + timedelta(hours=number)
        )
        state = after
    return rows


def test_a_canary_rollback_is_a_warning_that_the_next_promotion_resolves():
    until_now = (("promote", ONE), ("start", TWO), ("rollback", None), ("pause", None))
    rows = ledger(*until_now, ("promote", THREE))
    (result,) = fold([], events_of_releases("small", rows))
    assert (result.event.severity, result.event.detail, result.event.partition) == (
        Severity.WARNING,
        "release 3",
        "2025-03-10",
    )
    assert result.event.message == "2025-03-10: the canary was rolled back by ann: it is slow"
    assert result.resolved_at == BEGIN + timedelta(hours=4)
    (still,) = fold([], events_of_releases("small", ledger(*until_now)))
    assert still.is_open


def test_a_champion_rollback_is_an_error_that_does_not_resolve_itself():
    (result,) = fold([], events_of_releases("small", ledger(("promote", ONE), ("promote", TWO), ("rollback", None))))
    assert (result.event.severity, result.is_open) == (Severity.ERROR, True)
    assert "the champion was rolled back" in result.event.message


def test_other_releases_are_not_reported():
    assert fold([], events_of_releases("small", ledger(("promote", ONE), ("start", TWO), ("pause", None)))) == []
