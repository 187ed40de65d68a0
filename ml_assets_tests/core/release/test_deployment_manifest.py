"""The manifest describes the release of the champion, and keeps files that readers may still use."""

from datetime import UTC, date, datetime, timedelta

from ml_assets.core.release.deployment_manifest import champion_row, champions_to_keep, metadata
from ml_assets.core.release.ledger_rows import rows_of
from ml_assets.core.release.release_state import Move, Release, Version, pause, promote, roll_back, start

DAY, AT = date(2025, 3, 10), datetime(2025, 3, 10, 3, 0, tzinfo=UTC)
FIRST, SECOND, THIRD = (Version(number, f"digest-{number}", date(2025, 3, number)) for number in (1, 2, 3))
FILES = {"model.ubj": b"model", "preprocessing.json": b'{"threshold": 0.4}', "passport.json": b"{}"}


def ledger(*built) -> list[dict]:
    """Rows of moves an hour apart, each given by action and what it makes of the state before."""
    state, rows = Release(), []
    for hours, (action, make) in enumerate(built):
        after = make(state)
        rows += rows_of(
            state,
            Move(action, after, DAY, "run 1", f"reason {after.number}", {"difference": 0.01}),
            AT + timedelta(hours=hours),
        )
        state = after
    return rows


FIRST_CHAMPION = ("promote", lambda state: promote(state, FIRST))
SECOND_CHAMPION = ("promote", lambda state: promote(state, SECOND))
THIRD_CHAMPION = ("promote", lambda state: promote(state, THIRD))


def test_metadata_describe_the_release_that_made_the_champion():
    rows = ledger(
        FIRST_CHAMPION,
        ("start", lambda state: start(state, SECOND, 5, DAY)),
        ("pause", lambda state: pause(state, True)),
    )
    row = champion_row(rows)
    assert row is not None
    result = metadata("small", row, FILES, "http://mlflow/#/models/small/versions/1")
    assert {
        name: result[name]
        for name in ("version", "model_digest", "day", "threshold", "release", "reason", "metrics", "released_at")
    } == {
        "version": 1,
        "model_digest": "digest-1",
        "day": "2025-03-01",
        "threshold": 0.4,
        "release": 1,
        "reason": "reason 1",
        "metrics": {"difference": 0.01},
        "released_at": "2025-03-10T03:00:00+00:00",
    }
    assert result["registry"] == {"uri": "models:/small/1", "url": "http://mlflow/#/models/small/versions/1"}
    assert result["files"]["model.ubj"]["path"] == "digest-1/model.ubj"
    assert result["files"].keys() == FILES.keys()


def test_a_restored_champion_has_the_release_that_restored_it():
    row = champion_row(ledger(FIRST_CHAMPION, SECOND_CHAMPION, ("rollback", roll_back)))
    assert row is not None
    assert (row["to_version"], row["release"]) == (1, 3)


def test_without_a_champion_there_is_no_row():
    assert champion_row([]) is None
    assert champion_row(ledger(("pause", lambda state: pause(state, True)))) is None
    assert champions_to_keep([], AT) == set()


def test_files_of_recent_champions_are_kept():
    rows = ledger(FIRST_CHAMPION, SECOND_CHAMPION, THIRD_CHAMPION)
    assert champions_to_keep(rows, AT + timedelta(hours=9)) == {"digest-2", "digest-3"}
    assert champions_to_keep(rows, AT + timedelta(hours=2)) == {"digest-1", "digest-2", "digest-3"}


def test_metadata_of_a_model_without_decisions_say_what_it_predicts():
    content = b'{"task": "multiclass", "classes": ["a", "b"], "predictions": ["probability_a", "probability_b"]}'
    (row,) = ledger(FIRST_CHAMPION)
    described = metadata("small", row, {**FILES, "preprocessing.json": content}, None)
    assert (described["threshold"], described["task"], described["classes"]) == (None, "multiclass", ["a", "b"])
