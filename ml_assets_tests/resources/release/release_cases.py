"""Helpers of the tests of releases: versions, moves, and processes that release at the same time."""

import hashlib
import json
import os
import shutil
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ml_assets.core.model.digest import model_digest
from ml_assets.core.release.release_state import Action, Move, Release, Version, promote
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import artifacts_key
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.ledger import Ledger, LedgerConflict
from ml_assets.resources.release.releases import Releases
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store

DAY = date(2025, 3, 10)
FIRST, SECOND, THIRD = (Version(number, f"digest-{number}", date(2025, 3, number)) for number in (1, 2, 3))


def move(
    action: Action, after: Release, day: date = DAY, actor: str = "run 1", reason: str = "a reason", **metrics: float
) -> Move:
    """Return a move with defaults for everything that a test does not state."""
    return Move(action, after, day, actor, reason, metrics)


def release_at_once(uri: str, s3: dict[str, str], name: str, rounds: int, start, results) -> None:
    """Promote, in each round, a version of this process on the state before it, at the same moment as others."""
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


class ReleaseWorld:
    """A lake with the files of three models, which are the versions 1 to 3 of `small` in a registry, and a deploy
    target beside the lake. Where the folder of the registry has one already, it is opened.
    """

    def __init__(self, lake: Lake, folder: Path, versions: int = 3):
        self.lake = lake
        self.target = DeployTarget(uri=f"{lake.uri}/production", s3=lake.s3)
        self.registry = ModelRegistry(tracking_uri=f"sqlite:///{folder}/mlflow.db")
        self.versions = [version_of(number) for number in range(1, versions + 1)]
        if (folder / "mlflow.db").exists():
            return
        if "://" not in lake.uri and versions == 3:
            shutil.copytree(Path(_with_three_versions().name, "lake"), lake.uri, dirs_exist_ok=True)
            shutil.copy(Path(_with_three_versions().name, "mlflow.db"), folder)
            return
        new_store(folder)
        self.registry.client.create_registered_model("small")
        for number in range(1, versions + 1):
            self.register(number)

    def register(self, number: int, **tags: str) -> Version:
        """Register a version, a model of the day of its number, with its files in the lake."""
        version = version_of(number)
        for name, content in model_files(number).items():
            self.lake.files.write(f"{artifacts_key('small', version.digest)}/{name}", content)
        tags = {"model_digest": version.digest, "day": str(version.day), "gates": "passed", **tags}
        model_version = self.registry.client.create_model_version(
            "small", "file:///nowhere", None, tags, await_creation_for=0
        )
        assert int(model_version.version) == number
        return version

    def releases(self) -> Releases:
        """Return the releases as another process reads them."""
        return Releases(Lake(uri=self.lake.uri, s3=self.lake.s3), self.registry, self.target, "small")

    def aliases(self) -> dict[str, int]:
        """Return the version of each alias in MLflow."""
        return {
            alias: int(version) for alias, version in self.registry.client.get_registered_model("small").aliases.items()
        }

    def tags(self) -> dict[str, str]:
        """Return the tags of the registered model."""
        return self.registry.client.get_registered_model("small").tags

    def deployed(self) -> int:
        """Return the version in the deploy target, after a check of every file that its metadata names."""
        return read_deployed(self.target)["version"]


@cache
def _with_three_versions() -> TemporaryDirectory:
    """Make a lake and a registry once per process, to be copied."""
    root = TemporaryDirectory()
    new_store(Path(root.name))
    world = ReleaseWorld(Lake(uri=f"{root.name}/lake"), Path(root.name))
    world.registry.client.create_registered_model("small")
    for number in (1, 2, 3):
        world.register(number)
    return root


def version_of(number: int) -> Version:
    """Return the version with a number, a model of the day of the number."""
    files = model_files(number)
    return Version(number, model_digest(files["model.ubj"], files["preprocessing.json"]), date(2025, 3, number))


def model_files(number: int) -> dict[str, bytes]:
    """Return files of a model that are large enough that writing them takes more than a moment."""
    return {
        "model.ubj": bytes([number]) * 100_000,
        "preprocessing.json": json.dumps({"threshold": number / 10}).encode(),
        "passport.json": json.dumps({"of": number}).encode(),
    }


def read_deployed(target: DeployTarget) -> dict:
    """Return the metadata of the deploy target, after every file that it names is read and compared."""
    files = open_objects(target.uri, target.s3)
    metadata = json.loads(files.read("small/metadata.json"))
    read = {name: files.read(f"small/{file['path']}") for name, file in metadata["files"].items()}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in read.items()} == {
        name: file["sha256"] for name, file in metadata["files"].items()
    }
    assert model_digest(read["model.ubj"], read["preprocessing.json"]) == metadata["model_digest"]
    assert json.loads(read["preprocessing.json"])["threshold"] == metadata["threshold"]
    assert json.loads(read["passport.json"])["of"] == metadata["version"]
    return metadata


def read_in_a_loop(uri: str, s3: dict[str, str], stop, results) -> None:
    """Read the deploy target again and again until it is told to stop, and report the versions that were read."""
    target, versions, reads = DeployTarget(uri=uri, s3=s3), set(), 0
    try:
        while not stop.is_set():
            versions.add(read_deployed(target)["version"])
            if not reads:
                results.put("began")
            reads += 1
        results.put((versions, reads))
    except BaseException as error:
        results.put(repr(error))
        raise
