"""A release is first recorded and then carried out in MLflow and the deploy target, whichever process dies midway;
manual moves in MLflow are adopted.
"""

import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ml_assets.core.release.release_state import Release, Version, advance, pause, promote, roll_back, start
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.release import releases as module
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.errors import LedgerLost
from ml_assets.resources.release.ledger import LedgerConflict
from ml_assets.resources.release.release_targets import ReleaseTargets
from ml_assets.resources.release.releases import NotCarriedOut, ReleaseRefused
from ml_assets.resources.scrub.tables import scrub_newest_release
from ml_assets_tests.resources.conftest import lake_on
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store
from ml_assets_tests.resources.release.release_cases import DAY, ReleaseWorld, move, read_deployed

pytestmark = pytest.mark.clock


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.slow)])
def world(request, tmp_path, monkeypatch) -> ReleaseWorld:
    """Return a lake without a release, once in a directory and once on S3."""
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0.0)
    return ReleaseWorld(lake_on(request.param, request, tmp_path), tmp_path)


@pytest.fixture(scope="module")
def with_canary(tmp_path_factory) -> Path:
    """Return the folder of a lake whose first version is the champion and the second the canary."""
    root = tmp_path_factory.mktemp("canary")
    world = ReleaseWorld(Lake(uri=str(root / "lake")), root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SETTLE_SECONDS", 0.0)
        champion(world)
        state = world.releases().state()
        world.releases().release(state, move("start", start(state, world.versions[1], 5, DAY)))
    return root


@pytest.fixture
def local(with_canary, tmp_path, monkeypatch) -> ReleaseWorld:
    """Return a copy of it, for tests that do not depend on the kind of storage."""
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0.0)
    shutil.copytree(with_canary, tmp_path, dirs_exist_ok=True)
    return ReleaseWorld(Lake(uri=str(tmp_path / "lake")), tmp_path)


def champion(world: ReleaseWorld) -> Release:
    state = promote(Release(), world.versions[0])
    world.releases().release(Release(), move("promote", state, actor="run 1", roc_auc=0.9))
    return state


def test_registry_and_deploy_target_follow_a_release(world):
    releases = world.releases()
    assert releases.state() == Release()
    assert (world.tags(), world.target.published("small")) == ({}, None)
    state = champion(world)
    assert (releases.state(), world.aliases(), world.deployed()) == (state, {"champion": 1}, 1)
    releases.release(state, move("start", state := start(state, world.versions[1], 5, DAY)))
    assert (world.aliases(), world.tags()) == (
        {"champion": 1, "challenger": 2},
        {"release": "2", "canary_percent": "5"},
    )
    releases.release(state, move("advance", state := advance(state, 25, DAY)))
    assert (world.tags()["canary_percent"], world.deployed()) == ("25", 1)
    releases.release(state, move("promote", state := promote(state, world.versions[1])))
    assert (world.aliases(), world.tags()) == ({"champion": 2, "previous": 1}, {"release": "4", "canary_percent": "0"})
    assert (world.deployed(), releases.problems) == (2, [])
    releases.release(state, move("rollback", roll_back(state), reason="it is worse"))
    assert (world.aliases(), world.tags()["release"]) == ({"champion": 1}, "5")
    deployed = read_deployed(world.target)
    assert (deployed["version"], deployed["release"], deployed["reason"], deployed["action"]) == (
        1,
        5,
        "it is worse",
        "rollback",
    )
    assert [recorded.action for recorded in releases.ledger.moves()] == [
        "promote",
        "start",
        "advance",
        "promote",
        "rollback",
    ]
    assert len(releases.ledger.releases()) == 5
    assert releases.versions() == world.versions


def test_of_two_concurrent_releases_one_wins_and_the_other_changes_nothing(world):
    state = champion(world)
    first_process, second_process = world.releases(), world.releases()
    first_process.release(state, move("promote", promote(state, world.versions[1])))
    with pytest.raises(LedgerConflict):
        second_process.release(state, move("promote", promote(state, world.versions[2])))
    assert (world.aliases(), world.deployed()) == ({"champion": 2, "previous": 1}, 2)


def test_a_pause_is_shown(local):
    state = local.releases().state()
    local.releases().release(state, move("pause", paused := pause(state, True)))
    assert local.tags() == {"release": "3", "canary_percent": "5", "paused": "true"}
    local.releases().release(paused, move("resume", pause(paused, False)))
    assert local.tags()["paused"] == "false"


class Killed(BaseException):
    """The death of the process."""


@pytest.mark.parametrize("requests", range(5))
def test_a_release_that_a_dying_process_left_incomplete_is_completed_by_the_next_read(
    local, monkeypatch, caplog, requests
):
    state = local.releases().state()
    remaining, client = [requests], local.registry.client

    def until_killed(request):
        def dying(*args, **arguments):
            if remaining[0] == 0:
                raise Killed
            remaining[0] -= 1
            return request(*args, **arguments)

        return dying

    with monkeypatch.context() as patch:
        for name in ("set_registered_model_alias", "set_registered_model_tag", "delete_registered_model_alias"):
            patch.setattr(client, name, until_killed(getattr(client, name)))
        patch.setattr(DeployTarget, "publish", until_killed(DeployTarget.publish))
        with pytest.raises(Killed):
            local.releases().release(state, move("promote", after := promote(state, local.versions[1])))
    assert local.tags()["release"] == "2"
    assert local.releases().state() == after
    assert "release 3 was not carried out in full" in caplog.text
    caplog.clear()
    assert local.releases().state() == after
    assert caplog.text == ""
    assert (local.aliases(), local.tags(), local.deployed()) == (
        {"champion": 2, "previous": 1},
        {"release": "3", "canary_percent": "0"},
        2,
    )
    assert len(local.releases().ledger.moves()) == 3


def test_a_release_that_lacks_only_the_mark_that_it_is_complete_gets_it_from_the_next_read(local, monkeypatch, caplog):
    state = local.releases().state()

    def die(*arguments):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("ml_assets.resources.release.release_targets.mark_release_complete", die)
        with pytest.raises(Killed):
            local.releases().release(state, move("promote", after := promote(state, local.versions[1])))
    assert (local.tags()["release"], local.deployed()) == ("2", 2)
    assert local.releases().state() == after
    assert (local.tags()["release"], caplog.text) == ("3", "")


def test_a_deploy_target_that_cannot_be_written_leaves_the_release_recorded_and_raises(local, monkeypatch):
    state = local.releases().state()

    def refuse(*_):
        raise PermissionError("read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(DeployTarget, "publish", refuse)
        with pytest.raises(
            NotCarriedOut, match=r"release 3 of small is in the ledger and valid.*read-only.*ml-assets releases"
        ):
            local.releases().release(state, move("promote", promote(state, local.versions[1])))
    assert local.deployed() == 1
    local.releases().state()
    assert local.deployed() == 2


def test_a_release_made_while_another_is_carried_out_is_carried_out_too(local, monkeypatch):
    state = local.releases().state()
    bring = ReleaseTargets.synchronize

    def interrupted(self, latest, rows):
        monkeypatch.setattr(ReleaseTargets, "synchronize", bring)
        local.releases().release(latest, move("rollback", roll_back(latest)))
        return bring(self, latest, rows)

    monkeypatch.setattr(ReleaseTargets, "synchronize", interrupted)
    local.releases().release(state, move("advance", advance(state, 25, DAY)))
    assert (local.aliases(), local.tags()) == ({"champion": 1}, {"release": "4", "canary_percent": "0"})


def test_a_champion_that_was_moved_in_mlflow_is_adopted(local):
    local.registry.client.set_registered_model_alias("small", "champion", "3")
    state = local.releases().state()
    assert (state.champion, state.previous, state.challenger, state.number) == (
        local.versions[2],
        local.versions[0],
        local.versions[1],
        3,
    )
    adopted = local.releases().ledger.moves()[-1]
    assert (adopted.action, adopted.actor, adopted.day) == ("adopt", "MLflow", DAY)
    assert adopted.reason.startswith(
        "moved in MLflow by hand: champion from version 1 of 2025-03-01 to version 3 of 2025-03-03"
    )
    assert (local.deployed(), local.tags()["release"], local.aliases()["previous"]) == (3, "3", 1)
    assert local.releases().state() == state


def test_a_challenger_that_was_made_the_champion_in_mlflow_is_no_longer_the_challenger(local):
    local.registry.client.set_registered_model_alias("small", "champion", "2")
    assert local.releases().state().challenger is None
    assert (local.aliases(), local.tags()["canary_percent"]) == ({"champion": 2, "previous": 1}, "0")


def test_a_canary_whose_alias_was_deleted_in_mlflow_is_rolled_back(local):
    local.registry.client.delete_registered_model_alias("small", "challenger")
    state = local.releases().state()
    assert (state.challenger, state.percent, state.withdrawn, local.tags()["canary_percent"]) == (
        None,
        0,
        {local.versions[1].digest},
        "0",
    )


def test_a_manual_move_applies_from_the_day_after_the_newest_decision(local):
    table = local.lake.table("small", "deployment", pa.schema([("outcome", pa.string())]))
    days = [date(2025, 3, 20), date(2025, 3, 21)]
    table.commit({day: pa.table({"outcome": ["none"]}) for day in days}, dict.fromkeys(days, 1))
    local.registry.client.set_registered_model_alias("small", "champion", "3")
    local.releases().state()
    assert local.releases().ledger.moves()[-1].day == date(2025, 3, 22)


def test_a_champion_from_before_the_ledger_is_its_first_release(world):
    world.registry.client.set_registered_model_alias("small", "champion", "2")
    state = world.releases().state()
    assert (state.champion, state.number, world.releases().ledger.moves()[0].day) == (
        world.versions[1],
        1,
        world.versions[1].day,
    )
    assert (world.tags()["release"], world.deployed()) == ("1", 2)


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (
            lambda client: client.delete_model_version_tag("small", "3", "day"),
            "version 3 has no tags day and model_digest",
        ),
        (
            lambda client: client.delete_model_version_tag("small", "3", "model_digest"),
            "version 3 has no tags day and model_digest",
        ),
        (
            lambda client: client.set_model_version_tag("small", "3", "gates", "failed"),
            "version 3 of 2025-03-03 does not pass its gates",
        ),
        (
            lambda client: client.set_model_version_tag("small", "3", "model_digest", "unknown"),
            "the files of model unknown are not all under",
        ),
    ],
)
def test_a_version_that_cannot_be_released_is_not_adopted(local, prepare, problem):
    prepare(local.registry.client)
    before = local.releases().ledger.latest()
    local.registry.client.set_registered_model_alias("small", "champion", "3")
    releases = local.releases()
    assert releases.state() == before
    assert (local.aliases(), local.deployed()) == ({"champion": 1, "challenger": 2}, 1)


def test_aliases_of_versions_of_others_are_left_alone_and_refuse_the_first_release(tmp_path, caplog):
    world = ReleaseWorld(Lake(uri=str(tmp_path / "lake")), tmp_path)
    world.registry.client.delete_model_version_tag("small", "3", "model_digest")
    world.registry.client.set_registered_model_alias("small", "champion", "3")
    releases = world.releases()
    state = releases.state()
    assert state == Release()
    assert "version 3 has no tags day and model_digest" in caplog.text
    assert "nothing has been released yet" in caplog.text
    with pytest.raises(ReleaseRefused, match=r"small in MLflow has champion on version 3.*rename the model"):
        releases.release(state, move("promote", promote(state, world.versions[0])))
    assert (world.aliases(), releases.ledger.moves()) == ({"champion": 3}, [])


@pytest.mark.parametrize(
    ("by_hand", "problem"),
    [
        (lambda client: client.delete_registered_model_alias("small", "champion"), "the alias champion was deleted"),
        (
            lambda client: client.set_registered_model_tag("small", "canary_percent", "many"),
            "must be from 1 to 99, and is 0",
        ),
    ],
)
def test_a_manual_move_that_makes_no_release_is_reset(local, by_hand, problem, caplog):
    before = local.releases().state()
    by_hand(local.registry.client)
    assert local.releases().state() == before
    assert problem in caplog.text
    assert (local.aliases(), local.tags()["canary_percent"]) == ({"champion": 1, "challenger": 2}, "5")


def test_a_decision_from_before_an_alias_was_moved_in_mlflow_is_refused(local):
    state = local.releases().state()
    local.registry.client.set_registered_model_alias("small", "champion", "3")
    with pytest.raises(LedgerConflict, match="an alias was moved in MLflow since release 2"):
        local.releases().release(state, move("rollback", roll_back(state)))
    assert len(local.releases().ledger.moves()) == 2


def test_an_alias_of_a_release_in_progress_is_not_adopted(local, monkeypatch):
    """Let a process carry out an older release late and then read the newer one."""
    client = local.registry.client
    client.set_registered_model_alias("small", "champion", "3")
    monkeypatch.setattr(
        module.time, "sleep", lambda seconds: client.set_registered_model_alias("small", "champion", "1")
    )
    local.releases().state()
    assert len(local.releases().ledger.moves()) == 2


def test_a_version_without_its_files_or_without_an_entry_cannot_go_live(local):
    state, (*_, third) = local.releases().state(), local.versions
    local.lake.files.delete(f"small/models/{third.digest}/passport.json")
    with pytest.raises(
        ReleaseRefused,
        match=r"version 3 of 2025-03-03 of small cannot go live: the files of model .* are not all under",
    ):
        local.releases().release(state, move("promote", promote(state, third)))
    with pytest.raises(ReleaseRefused, match="version 9 of 2025-03-03 of small is not in the registry"):
        local.releases().release(state, move("promote", promote(state, Version(9, "elsewhere", third.day))))
    assert len(local.releases().ledger.moves()) == 2


def test_files_of_another_model_are_not_deployed(local):
    state = local.releases().state()
    local.lake.files.write(f"small/models/{local.versions[1].digest}/model.ubj", b"another")
    with pytest.raises(ReleaseRefused, match="are damaged, or those of another model"):
        local.releases().release(
            state, move("promote", promote(state, local.versions[2].__class__(2, local.versions[1].digest, DAY)))
        )


def test_a_registry_that_was_replaced_is_filled_again_and_its_new_numbers_are_used(local, tmp_path):
    state = local.releases().state()
    (tmp_path / "new").mkdir()
    local.registry = local.registry.__class__(tracking_uri=new_store(tmp_path / "new"))
    releases = local.releases()
    assert releases.state() == state
    assert "MLflow has no registered model small (it was deleted)" in releases.problems[0]
    client = local.registry.client
    client.create_registered_model("small")
    for version in (local.versions[1], local.versions[0]):
        client.create_model_version(
            "small",
            "file:///nowhere",
            None,
            {"model_digest": version.digest, "day": str(version.day)},
            await_creation_for=0,
        )
    assert releases.state() == state
    assert (local.aliases(), local.tags(), releases.problems) == (
        {"champion": 2, "challenger": 1},
        {"release": "2", "canary_percent": "5"},
        [],
    )


def test_a_version_that_was_deleted_in_mlflow_is_named(local):
    state = local.releases().state()
    local.registry.client.delete_model_version("small", "2")
    lost = (
        "challenger is version 2 of 2025-03-02, which is no longer in MLflow: "
        "`ml-assets restore small` registers it again"
    )
    assert local.releases().differences() == [lost]
    for _ in range(2):
        releases = local.releases()
        assert releases.state() == state
        assert releases.problems == [lost]
    assert (local.aliases(), local.tags()["canary_percent"]) == ({"champion": 1}, "0")


def test_a_search_does_not_create_a_store(local, tmp_path):
    elsewhere = local.registry.__class__(tracking_uri=f"sqlite:///{tmp_path}/none/mlflow.db")
    assert module.Releases(local.lake, elsewhere, local.target, "small").versions() == []
    assert module.Releases(local.lake, elsewhere, local.target, "other").state() == Release()
    assert not (tmp_path / "none").exists()


def test_a_newest_commit_of_the_ledger_that_vanished_whole_is_missed_and_stops_releases(local, tmp_path):
    assert scrub_newest_release(local.lake, local.registry, local.target, "small") is None
    max((tmp_path / "lake" / "small" / "release_ledger" / "_delta_log").glob("*.json")).unlink()
    reason = "the release ledger of small ends with release 1, but MLflow carried out release 2"
    assert reason in local.releases().differences()[0]
    damage = scrub_newest_release(local.lake, local.registry, local.target, "small")
    assert damage is not None
    assert reason in damage.reason
    with pytest.raises(LedgerLost, match=reason):
        local.releases().state()
