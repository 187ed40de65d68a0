"""Commands that release by hand: each is in the ledger with who and why, and says clearly why it cannot be."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from ml_assets.cli.commands import release as command
from ml_assets.core.release.release_state import pause
from ml_assets.defs.settings import Settings
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.release.ledger import Ledger
from ml_assets_tests.cli.command_line import call, read_json
from ml_assets_tests.resources.release.release_cases import ReleaseWorld, move
from ml_assets_tests.support.clock import stop_clock

pytestmark = pytest.mark.clock

CANARY = {"canary": {"steps": [10, 100]}}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_spec) -> ReleaseWorld:
    """Three versions of `small`, none of them live."""
    world = ReleaseWorld(Lake(uri=str(tmp_path / "lake")), tmp_path)
    settings = Settings("local", "", world.lake.uri, world.registry.tracking_uri, "", world.target.uri, {})
    monkeypatch.setattr(command, "require_settings", lambda: settings)
    monkeypatch.setattr(command, "require_spec", lambda model: make_spec(deployment=CANARY))
    return world


@pytest.fixture
def printed(world, capsys, monkeypatch):
    """What a command prints; for one that is refused, why."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(verb: str, *options: str) -> str:
        try:
            call(verb, "small", *options)
        except SystemExit as ended:
            return f"refused: {ended}"
        return capsys.readouterr().out

    return run


def test_versions_are_promoted_rolled_back_and_paused_by_hand(world, printed, monkeypatch, capsys):
    stop_clock(monkeypatch, command, datetime(2026, 11, 26, 12, tzinfo=UTC))
    assert "nothing has been released yet" in printed("releases")
    shown = printed("promote", "--version", "1", "--actor", "ann", "--reason", "the first one")
    assert [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines()[1:5]] == [
        ["release", "when (UTC), who", "what", "why"],
        ["1", re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d", shown)[0], "promote", "the first one"],
        ["for 2026-11-25", "champion - to 1"],
        ["ann", "share 0 %"],
    ]
    assert re.search(r"Champion +version 1 of 2025-03-01, since release 1 of .*, predictions from", shown)
    shown = printed("canary", "--version", "2")
    assert re.search(r"Canary +version 2 of 2025-03-02 for 10 percent of the entities since", shown)
    assert "Decisions     paused by" in printed("pause", "--reason", "on call is asleep")
    assert "Decisions     automatic" in printed("resume")
    shown = printed("rollback", "--reason", 'it\'s slow & "odd"')
    assert 'it\'s slow & "odd"' in shown
    assert "Canary        none" in shown
    shown = printed("promote", "--version", "3")
    assert re.search(r"Deployed +version 3 of 2025-03-03, under .*/production/small", shown)
    assert "Champion      version 1" in printed("rollback")
    assert (world.aliases(), world.deployed()) == ({"champion": 1}, 1)
    report = read_json(capsys, "releases", "small")
    assert report["champion"]["version"] == report["deployed_version"] == 1
    assert (report["challenger"], report["percent"], report["is_paused"]) == (None, 0, False)
    assert [release["action"] for release in report["releases"]][:2] == ["promote", "start"]
    assert report["releases"][0]["reason"] == "the first one"
    made = Ledger(world.lake, "small").moves()
    assert [entry.action for entry in made] == [
        "promote",
        "start",
        "pause",
        "resume",
        "rollback",
        "promote",
        "rollback",
    ]
    assert made[0].actor == "ann"
    assert re.fullmatch(r"[^@]+@.+", made[1].actor)
    assert "no reason was given" in made[1].reason


def test_a_version_that_cannot_be_released_is_refused_with_the_reason(world, printed, monkeypatch, make_spec):
    assert printed("rollback").startswith("refused: there is nothing to roll back")
    assert (
        printed("promote", "--version", "9")
        == "refused: there is no version 9 of small in MLflow; it has versions 1, 2, 3"
    )
    world.registry.client.set_model_version_tag("small", "2", "gates", "failed")
    assert "version 2 of 2025-03-02 does not pass its gates" in printed("promote", "--version", "2")
    world.lake.files.delete(f"small/models/{world.versions[2].digest}/model.ubj")
    assert "version 3 of 2025-03-03 of small cannot go live: the files of model" in printed("promote", "--version", "3")
    printed("promote", "--version", "1")
    monkeypatch.setattr(command, "require_spec", lambda model: make_spec())
    assert "the specification has no deployment.canary" in printed("canary", "--version", "3")
    assert len(Ledger(world.lake, "small").moves()) == 1


def test_a_concurrent_release_wins(world, printed, monkeypatch):
    printed("promote", "--version", "1")
    decide = command.manual_move

    def late(canary, state, *others):
        Ledger(world.lake, "small").append(state, move("pause", pause(state, True)))
        return decide(canary, state, *others)

    monkeypatch.setattr(command, "manual_move", late)
    assert printed("promote", "--version", "2").endswith(
        "Somebody released in the meantime: look at `ml-assets releases` and try again"
    )
    assert world.aliases() == {"champion": 1}


def test_a_release_by_hand_affects_the_day_after_the_newest_decision(world, printed, make_spec):
    now = datetime(2025, 3, 10, 23, 30, tzinfo=UTC)
    spec = make_spec(source={"files": "{day}/*", "start": "2025-01-01", "time_zone": "Europe/Berlin"})
    assert command.first_day(spec, None, now) == date(2025, 3, 10)
    assert command.first_day(spec, date(2025, 3, 20), now) == date(2025, 3, 21)
    table = world.lake.table("small", "deployment", pa.schema([("outcome", pa.string())]))
    table.commit({date(2025, 3, 20): pa.table({"outcome": ["none"]})}, {date(2025, 3, 20): 1})
    printed("promote", "--version", "1")
    assert Ledger(world.lake, "small").moves()[0].day == date(2025, 3, 21)


def test_printing_the_releases_completes_an_interrupted_release(world, printed):
    printed("promote", "--version", "1")
    world.registry.client.delete_registered_model_tag("small", "release")
    world.registry.client.delete_registered_model_alias("small", "champion")
    printed("releases")
    assert (world.aliases(), world.tags()["release"]) == ({"champion": 1}, "1")


def test_a_registry_that_does_not_respond_is_named(world, printed, monkeypatch):
    settings = Settings("local", "", world.lake.uri, "http://127.0.0.1:1", "", world.target.uri, {})
    monkeypatch.setattr(command, "require_settings", lambda: settings)
    assert printed("releases").startswith("refused: MLflow does not answer at http://127.0.0.1:1")
