"""Training that was killed resumes from its last checkpoint and ends with the bytes of an undisturbed run."""

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.boosting import Boosted
from ml_assets.pipeline.training.checkpoints import LakeCheckpoints, remove_abandoned_checkpoints, remove_checkpoints
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.processes import start
from ml_assets_tests.pipeline.world import World, day
from ml_assets_tests.pipeline.worlds import world_with_features

pytestmark = pytest.mark.clock

SAMPLED = {"subsample": 0.8, "colsample_bytree": 0.8}
LAST, AS_OF = 13, day(12)
BOOSTED = Boosted(50, {"logloss": [0.5, 0.4]}, b"booster")


def spec_with(**training) -> ModelSpec:
    changes = {"rounds": 24, "early_stopping_rounds": 24, "checkpoint_rounds": 5, "parameters": SAMPLED, **training}
    return ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], **changes}})


SPEC = spec_with()


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with features, which tests copy."""
    return world_with_features(tmp_path_factory.mktemp("features"), SPEC)


@pytest.fixture(scope="module")
def undisturbed(features: World, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The model of a run that was not interrupted."""
    world = features.copy(tmp_path_factory.mktemp("undisturbed"))
    world.run(["trained_model"], AS_OF)
    assert checkpoint_files(world) == []
    return model_of(world)


def model_of(world: World) -> bytes:
    folder = world.root / "lake" / world.stages().training.row(AS_OF)["artifacts"]
    return (folder / "model.ubj").read_bytes() + (folder / "preprocessing.json").read_bytes()


def checkpoint_files(world: World) -> list[str]:
    return [path.name for path in sorted((world.root / "lake" / "small" / "checkpoints").rglob("*")) if path.is_file()]


def kill(world: World, file: int) -> None:
    """Train in a process of its own, which is killed before it writes the given file of a checkpoint."""
    dying = start(world.root, SPEC, ["trained_model"], {"dagster/partition": str(AS_OF)}, die_at_checkpoint_file=file)
    dying.join(120)
    assert dying.exitcode == -signal.SIGKILL


def log_lines(world: World, result) -> list[str]:
    return [entry.user_message for entry in world.events_of(result)]


RESUMED = "an earlier run was interrupted; resuming after round"


# A checkpoint is two files, its booster first. Of 24 rounds, the first phase saves five times, the refit too.
@pytest.mark.parametrize(
    ("file", "log_line"),
    [
        pytest.param(
            4, f"early_stopping: {RESUMED} 10 of at most 24", id="between checkpoints", marks=pytest.mark.slow
        ),
        pytest.param(5, f"early_stopping: {RESUMED} 10 of at most 24", id="between the two files of one"),
        pytest.param(16, f"refit: {RESUMED} 15 of at most", id="in the refit", marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_resumes_from_its_last_checkpoint_and_gives_the_same_bytes(
    features, undisturbed, tmp_path, file, log_line
):
    world = features.copy(tmp_path)
    kill(world, file)
    assert checkpoint_files(world) != []
    again = world.run(["trained_model"], AS_OF)
    assert any(log_line in line for line in log_lines(world, again))
    assert model_of(world) == undisturbed
    assert checkpoint_files(world) == []


@pytest.mark.slow
def test_a_run_that_is_killed_repeatedly_gives_the_same_bytes(features, undisturbed, tmp_path):
    world = features.copy(tmp_path)
    for _ in range(3):
        kill(world, 2)
    world.run(["trained_model"], AS_OF)
    assert model_of(world) == undisturbed


@pytest.mark.slow
def test_a_run_of_another_specification_starts_from_the_first_round(features, tmp_path):
    world = features.copy(tmp_path)
    kill(world, 4)
    other = World(tmp_path, spec_with(seed=1))
    result = other.run(["trained_model"], AS_OF)
    assert not any("interrupted" in line for line in log_lines(other, result))
    fresh = World(features.copy(tmp_path / "fresh").root, spec_with(seed=1))
    fresh.run(["trained_model"], AS_OF)
    assert model_of(other) == model_of(fresh)
    assert checkpoint_files(other) == []


def decisive(spec: ModelSpec) -> dict:
    return spec.training.settings_of_model(on_gpu=False)


def test_the_place_of_training_is_not_an_input_of_a_model():
    plain = {"parameters": {}}
    assert decisive(spec_with(**plain)) == decisive(
        spec_with(**plain, checkpoint_rounds=50, dask={"address": "tcp://there:1"})
    )
    assert decisive(spec_with(**plain)) != decisive(spec_with(**plain, engine="external_memory"))
    # With sampling, the random numbers start again at each checkpoint.
    assert decisive(spec_with()) != decisive(spec_with(checkpoint_rounds=50))


def open_checkpoints(root: Path, lines=None, fingerprint=7, model_day=AS_OF) -> LakeCheckpoints:
    return LakeCheckpoints(
        Lake(uri=str(root)), "small", model_day, lambda: fingerprint, (lines if lines is not None else []).append
    )


def test_the_newest_checkpoint_of_a_slot_replaces_the_one_before(tmp_path):
    assert open_checkpoints(tmp_path).load("refit_cpu") is None
    open_checkpoints(tmp_path).save("refit_cpu", BOOSTED)
    open_checkpoints(tmp_path).save("refit_cpu", Boosted(100, {}, b"later"))
    open_checkpoints(tmp_path).save("early_stopping_cpu", BOOSTED)
    assert open_checkpoints(tmp_path).load("refit_cpu") == Boosted(100, {}, b"later")
    assert open_checkpoints(tmp_path).load("early_stopping_cpu") == BOOSTED
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 4
    assert open_checkpoints(tmp_path, fingerprint=8).load("refit_cpu") is None
    assert open_checkpoints(tmp_path, model_day=day(11)).load("refit_cpu") is None


def test_the_fingerprint_is_not_computed_without_checkpoints(tmp_path):
    def never():
        raise AssertionError

    assert LakeCheckpoints(Lake(uri=str(tmp_path)), "small", AS_OF, never, print).load("refit_cpu") is None


@pytest.mark.parametrize("damage", ["booster gone", "booster torn", "not json", "other json"])
def test_an_unreadable_checkpoint_is_logged_and_not_loaded(tmp_path, damage):
    open_checkpoints(tmp_path).save("refit_cpu", BOOSTED)
    (booster,), (document,) = tmp_path.rglob("*.ubj"), tmp_path.rglob("*.json")
    if damage == "booster gone":
        booster.unlink()
    elif damage == "booster torn":
        booster.write_bytes(b"boo")
    else:
        document.write_text("{" if damage == "not json" else json.dumps({"rounds": 3}))
    lines = []
    assert open_checkpoints(tmp_path, lines).load("refit_cpu") is None
    assert len(lines) == 1
    assert "refit_cpu.json cannot be read" in lines[0]


def test_checkpoints_of_committed_days_are_removed_and_those_of_others_stay(tmp_path):
    for model_day in (day(11), AS_OF):
        open_checkpoints(tmp_path, model_day=model_day).save("refit_cpu", BOOSTED)
    remove_checkpoints(Lake(uri=str(tmp_path)), "small", [AS_OF])
    assert open_checkpoints(tmp_path).load("refit_cpu") is None
    assert open_checkpoints(tmp_path, model_day=day(11)).load("refit_cpu") == BOOSTED


def test_retention_removes_checkpoints_that_no_run_resumed_from(tmp_path):
    for model_day in (day(11), AS_OF):
        open_checkpoints(tmp_path, model_day=model_day).save("refit_cpu", BOOSTED)
    now = datetime.now(UTC)
    for as_of, written in ((AS_OF, now), (day(11), now - timedelta(days=3))):
        for path in tmp_path.rglob(f"*{as_of}/*/*"):
            os.utime(path, (written.timestamp(),) * 2)
    lake = Lake(uri=str(tmp_path))
    assert len(remove_abandoned_checkpoints(lake, "small", now, dry_run=True)) == 2
    assert open_checkpoints(tmp_path, model_day=day(11)).load("refit_cpu") == BOOSTED
    assert len(remove_abandoned_checkpoints(lake, "small", now, dry_run=False)) == 2
    assert open_checkpoints(tmp_path, model_day=day(11)).load("refit_cpu") is None
    assert open_checkpoints(tmp_path).load("refit_cpu") == BOOSTED
