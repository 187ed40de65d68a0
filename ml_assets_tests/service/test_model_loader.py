"""The service scores with the champion of the release ledger when MLflow no longer has it."""

import pytest

from ml_assets.core.release.release_state import Release, promote, start
from ml_assets.resources.lake.lake import Lake
from ml_assets.service.model_loader import LoadedVersion, ModelLoader
from ml_assets_tests.resources.release.release_cases import DAY, ReleaseWorld, move


@pytest.fixture
def world(tmp_path) -> ReleaseWorld:
    """Return a registry and a lake in which the first version is the champion."""
    world = ReleaseWorld(Lake(uri=str(tmp_path / "lake")), tmp_path)
    world.releases().release(Release(), move("promote", promote(Release(), world.versions[0])))
    return world


@pytest.mark.parametrize("removed", ["nothing", "alias", "version", "registered model"])
def test_the_champion_scores_whatever_somebody_removed_from_the_registry(world, make_spec, monkeypatch, removed):
    # The files of these versions are no models.
    monkeypatch.setattr(
        ModelLoader, "_load_files", lambda self, version, digest: LoadedVersion(version, digest, object())
    )
    client = world.registry.client
    match removed:
        case "alias":
            client.delete_registered_model_alias("small", "champion")
        case "version":
            client.delete_model_version("small", "1")
        case "registered model":
            client.delete_registered_model("small")
    loader = ModelLoader(make_spec(), world.lake, world.registry)
    loader.refresh()
    assert loader.models is not None
    assert (loader.models.champion.version, loader.models.champion.digest) == (1, world.versions[0].digest)
    assert ("`ml-assets restore small`" in (loader.problem or "")) == (removed != "nothing")


def test_a_lake_that_cannot_be_read_is_named_and_not_the_registry(world, make_spec, monkeypatch):
    def no_answer(self: ModelLoader, version: int, digest: str) -> None:
        raise OSError("operation timed out")

    monkeypatch.setattr(ModelLoader, "_load_files", no_answer)
    loader = ModelLoader(make_spec(), world.lake, world.registry)
    with pytest.raises(OSError, match="timed out"):
        loader.refresh()
    assert loader.problem == "small is being loaded"


def test_a_lake_that_is_a_file_is_named_and_refreshes_go_on(world, tmp_path, make_spec):
    (tmp_path / "file").touch()
    loader = ModelLoader(make_spec(), Lake(uri=str(tmp_path / "file")), world.registry)
    loader.refresh()
    assert loader.models is None
    assert f"the release ledger in {tmp_path / 'file'} cannot be read: NotADirectoryError" in (loader.problem or "")


def test_without_a_champion_in_registry_and_ledger_nothing_scores(tmp_path, make_spec):
    world = ReleaseWorld(Lake(uri=str(tmp_path / "lake")), tmp_path)
    loader = ModelLoader(make_spec(), world.lake, world.registry)
    loader.refresh()
    assert loader.models is None
    assert "no version with the alias champion" in (loader.problem or "")


def test_a_challenger_in_shadow_is_loaded_and_scores_no_request(world, make_spec, monkeypatch):
    monkeypatch.setattr(
        ModelLoader, "_load_files", lambda self, version, digest: LoadedVersion(version, digest, object())
    )
    state = world.releases().state()
    shadow = move("start", start(state, world.versions[1], 0, DAY))
    world.releases().release(state, shadow)
    loader = ModelLoader(make_spec(), world.lake, world.registry)
    loader.refresh()
    assert loader.models is not None
    assert loader.models.challenger is not None
    assert (loader.models.challenger.version, loader.models.percent, loader.problem) == (2, 0, None)
    assert {loader.models.route("small", f"card-{number}")[0] for number in range(200)} == {"champion"}
