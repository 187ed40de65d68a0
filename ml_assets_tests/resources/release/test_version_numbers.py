"""Numbers of versions are looked up once, and again when MLflow's versions have changed."""

import pytest

from ml_assets.core.release.release_state import Release, promote
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.registry.registry_reader import ClientReader
from ml_assets.resources.release.ledger import LedgerConflict
from ml_assets.resources.release.version_numbers import VersionNumbers
from ml_assets_tests.resources.mlflow.mlflow_requests import count_mlflow_requests
from ml_assets_tests.resources.release.release_cases import ReleaseWorld, move


@pytest.fixture
def world(tmp_path) -> ReleaseWorld:
    world = ReleaseWorld(Lake(uri=str(tmp_path / "lake")), tmp_path)
    # As for a server, where each reading is a request.
    world.registry._reader = ClientReader(world.registry.client)
    return world


def test_numbers_are_looked_up_again_after_a_version_was_deleted_or_created(world):
    numbers, client = VersionNumbers(world.registry, "small"), world.registry.client
    (first, second, _) = world.versions
    release = Release(champion=first, previous=second)

    def look_up() -> tuple[dict[str, int], int]:
        state = world.registry.release_state("small")
        with count_mlflow_requests() as requests:
            return numbers.of(release, state), requests["search_model_versions"]

    assert look_up() == ({first.digest: 1, second.digest: 2}, 2)
    client.set_registered_model_alias("small", "champion", "1")
    client.set_registered_model_tag("small", "canary_percent", "5")
    assert look_up() == ({first.digest: 1, second.digest: 2}, 0)
    client.delete_model_version("small", "2")
    assert look_up() == ({first.digest: 1}, 2)
    tags = {"model_digest": second.digest, "day": str(second.day)}
    client.create_model_version("small", "file:///nowhere", None, tags, await_creation_for=0)
    assert look_up() == ({first.digest: 1, second.digest: 4}, 2)


def test_nothing_is_kept_of_a_model_that_mlflow_does_not_have(world):
    numbers, (first, *_) = VersionNumbers(world.registry, "small"), world.versions
    assert numbers.of_digests([first.digest], None) == {first.digest: 1}
    world.registry.client.delete_model_version("small", "1")
    assert numbers.of_digests([first.digest], None) == {}


def test_a_release_reads_the_registered_model_once_and_searches_only_the_new_version(world):
    releases, before = world.releases(), Release()
    assert releases.state() == before
    for version in world.versions:
        after = promote(before, version)
        with count_mlflow_requests() as requests:
            releases.release(before, move("promote", after))
        assert (requests["get_registered_model"], requests["search_model_versions"]) == (1, 1)
        before = after
    assert (world.aliases(), world.deployed()) == ({"champion": 3, "previous": 2}, 3)
    assert releases.differences() == []


def test_an_alias_that_is_moved_between_two_releases_of_a_run_is_noticed(world):
    releases = world.releases()
    releases.release(Release(), move("promote", first := promote(Release(), world.versions[0])))
    world.registry.client.set_registered_model_alias("small", "champion", "3")
    with pytest.raises(LedgerConflict, match="an alias was moved in MLflow since release 1"):
        releases.release(first, move("promote", promote(first, world.versions[1])))
