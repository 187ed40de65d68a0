"""Whatever somebody removes from MLflow, the lake or the deploy target comes back by the command that messages name."""

import json
import shutil
import sqlite3
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from ml_assets.core.model.digest import model_digest
from ml_assets.core.release.release_state import Move, Release, Version, promote, roll_back, start
from ml_assets.core.tables.release_schemas import DEPLOYMENT_SCHEMA
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import artifacts_key, read_model_files
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release import releases as module
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.errors import LedgerLost
from ml_assets.resources.release.ledger import Ledger
from ml_assets.resources.release.releases import Releases
from ml_assets.resources.release.restoration import CannotRestore, Restoration
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store
from ml_assets_tests.support.bit_flips import flipped

DAY = date(2025, 3, 1)


@cache
def tiny_model() -> dict[str, bytes]:
    """Return the files of a model with one feature."""
    import pandas as pd
    import xgboost as xgb

    rows = xgb.DMatrix(pd.DataFrame({"amount": [0.0, 1.0, 2.0, 3.0]}), label=[0, 0, 1, 1])
    booster = xgb.train({"max_depth": 1, "objective": "binary:logistic"}, rows, 1)
    preprocessing = {"features": [{"name": "amount", "kind": "number"}], "target": "fraud", "threshold": 0.5}
    return {
        "model.ubj": bytes(booster.save_raw("ubj")),
        "preprocessing.json": json.dumps(preprocessing).encode(),
        "passport.json": b"{}",
    }


class Place:
    """A lake with a champion in its ledger, a registry and a deploy target."""

    def __init__(self, root: Path):
        self.root = root
        self.lake = Lake(uri=str(root / "lake"))
        self.target = DeployTarget(uri=str(root / "production"))
        self.registry = ModelRegistry(tracking_uri=f"sqlite:///{root}/mlflow.db")
        files = tiny_model()
        self.champion = Version(1, model_digest(files["model.ubj"], files["preprocessing.json"]), DAY)
        self.folder = artifacts_key("small", self.champion.digest)

    def make(self) -> None:
        """Write the model and its release; the registry is empty."""
        new_store(self.root)
        for name, content in tiny_model().items():
            self.lake.files.write(f"{self.folder}/{name}", content)
        move = Move("promote", promote(Release(), self.champion), DAY, "ann", "the first", {})
        Ledger(self.lake, "small").append(Release(), move)

    @property
    def client(self):
        """MLflow's client."""
        return self.registry.client

    def releases(self) -> Releases:
        """Return the releases as another process reads them."""
        return Releases(self.lake, self.registry, self.target, "small")

    def restore(self) -> list[str]:
        """Restore what is missing, and synchronize, as the command does."""
        return self.apply() + self.settle()

    def apply(self) -> list[str]:
        """Restore what is missing."""
        return Restoration(self.lake, self.registry, self.target, "small", None, lambda day, digest: None).apply()

    def settle(self) -> list[str]:
        """Synchronize, and return what still differs."""
        releases = self.releases()
        releases.state()
        return releases.problems

    def run_id(self) -> str:
        """Return the ID of the run of the champion."""
        return self.client.get_model_version_by_alias("small", "champion").run_id or ""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a place in which everything is in line."""
    place = Place(tmp_path_factory.mktemp("place"))
    place.make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SETTLE_SECONDS", 0.0)
        # The registry is empty: this is already a restoration.
        assert place.restore() == ["registered version 1 of 2025-03-01 again, as version 1"]
        assert place.restore() == []
    assert place.releases().differences() == []
    return place.root


@pytest.fixture
def place(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a copy of the place, in which MLflow finds the copied artifacts."""
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0.0)
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return Place(tmp_path)


def test_a_deleted_version_is_named_and_registered_again_under_the_next_number(place):
    place.client.delete_model_version("small", "1")
    (difference,) = place.releases().differences()
    assert "champion is version 1 of 2025-03-01, which is no longer in MLflow" in difference
    assert place.settle() == [difference]
    assert place.restore() == ["registered version 1 of 2025-03-01 again, as version 2"]
    assert place.client.get_registered_model("small").aliases == {"champion": 2}
    assert place.releases().differences() == []
    assert place.releases().state().champion == place.champion


def start_canary(place: Place, number: int) -> Release:
    """Write another model with this number and the start of its canary; return the release."""
    files = {**tiny_model(), "preprocessing.json": tiny_model()["preprocessing.json"].replace(b"0.5", b"0.4")}
    challenger = Version(number, model_digest(files["model.ubj"], files["preprocessing.json"]), date(2025, 3, 2))
    for name, content in files.items():
        place.lake.files.write(f"{artifacts_key('small', challenger.digest)}/{name}", content)
    before = place.releases().state()
    canary = start(before, challenger, 25, challenger.day)
    Ledger(place.lake, "small").append(before, Move("start", canary, challenger.day, "ann", "better", {}))
    return canary


def test_a_canary_whose_version_was_deleted_goes_on_after_a_restoration(place):
    canary = start_canary(place, 2)
    place.restore()
    assert place.releases().differences() == []
    place.client.delete_model_version("small", "2")
    (difference,) = place.settle()
    assert place.restore() == ["registered version 2 of 2025-03-02 again, as version 3"]
    assert place.client.get_registered_model("small").aliases == {"champion": 1, "challenger": 3}
    assert place.releases().state() == canary
    assert (place.settle(), place.releases().differences()) == ([], [])
    assert "challenger is version 2 of 2025-03-02, which is no longer in MLflow" in difference


def test_a_deleted_registered_model_is_created_again(place):
    place.client.delete_registered_model("small")
    (difference,) = place.releases().differences()
    assert "MLflow has no registered model small (it was deleted)" in difference
    assert place.restore() == ["registered version 1 of 2025-03-01 again, as version 1"]
    assert place.releases().differences() == []


@pytest.mark.parametrize("is_live", [True, False])
def test_versions_of_a_lost_registered_model_keep_their_numbers_and_new_ones_get_higher_ones(place, is_live):
    canary = start_canary(place, 4)
    if not is_live:
        withdrawal = Move("rollback", roll_back(canary), date(2025, 3, 3), "ann", "worse", {})
        Ledger(place.lake, "small").append(canary, withdrawal)
    place.client.delete_registered_model("small")
    place.restore()
    assert [version.number for version in place.releases().versions()] == ([1, 4] if is_live else [1])
    assert place.releases().differences() == []
    assert place.client.create_model_version("small", "s3://bucket/next").version == 5


def test_a_renamed_registered_model_gets_its_name_back(place):
    place.client.rename_registered_model("small", "old")
    assert "it was renamed to old" in place.releases().differences()[0]
    assert place.restore() == ["renamed the registered model old to small"]
    assert place.releases().differences() == []


def test_a_deleted_alias_is_set_again_by_the_next_read(place):
    place.client.delete_registered_model_alias("small", "champion")
    assert "`ml-assets releases small` adopts the move, or sets the alias again" in place.releases().differences()[0]
    place.settle()
    assert place.releases().differences() == []


def test_a_deleted_experiment_and_run_are_restored(place):
    run_id, experiment = place.run_id(), place.client.get_experiment_by_name("small").experiment_id
    place.client.delete_run(run_id)
    assert place.restore() == [f"restored the MLflow run {run_id} of version 1"]
    place.client.delete_experiment(experiment)
    assert place.restore()[0] == f"restored the MLflow experiment small (ID {experiment})"
    assert place.client.get_run(run_id).info.lifecycle_stage == "active"


@pytest.mark.parametrize("source", ["the deploy target", "MLflow"])
def test_lost_files_are_copied_from_the_deploy_target_or_from_mlflow(place, source):
    place.lake.files.delete(f"{place.folder}/model.ubj")
    if source == "MLflow":
        for name in ("model.ubj", "preprocessing.json", "passport.json"):
            (Path(place.target.uri) / "small" / place.champion.digest / name).unlink()
    assert place.apply() == [f"copied the files of version 1 of 2025-03-01 from {source} to the lake"]
    assert place.settle() == []
    assert read_model_files(place.lake, "small", place.champion.digest)["passport.json"] == b"{}"


def test_files_without_a_copy_are_named_with_the_day_that_makes_them_again(place):
    place.lake.files.delete(f"{place.folder}/model.ubj")
    (Path(place.target.uri) / "small" / place.champion.digest / "model.ubj").unlink()
    place.client.delete_model_version("small", "1")
    with pytest.raises(CannotRestore, match="materialize small/trained_model of 2025-03-01 again"):
        place.apply()


def test_a_lost_ledger_stops_releases_until_it_begins_anew_with_what_is_live(place, tmp_path):
    (tmp_path / "lake" / "small" / "release_ledger").rename(tmp_path / "elsewhere")
    with pytest.raises(LedgerLost, match="ends with release 0, but MLflow carried out release 1"):
        place.releases().state()
    assert "the release ledger continues after release 0 with the live versions in MLflow" in place.restore()
    assert place.releases().state().champion == place.champion
    assert place.releases().differences() == []


@pytest.mark.parametrize(("champion", "first"), [(1, 2), (None, 3)])
def test_a_lost_ledger_begins_with_the_newest_decision_if_that_left_the_same_champion_live(place, champion, first):
    decided = DAY + timedelta(days=2)
    row = dict.fromkeys(DEPLOYMENT_SCHEMA.names) | {"champion_version": champion, "percent": 0}
    rows = pa.Table.from_pylist([row], schema=DEPLOYMENT_SCHEMA)
    place.lake.table("small", "deployment", DEPLOYMENT_SCHEMA).commit({decided: rows}, {decided: 1})
    shutil.rmtree(place.root / "lake" / "small" / "release_ledger")
    place.restore()
    (adopted,) = Ledger(place.lake, "small").moves()
    assert (adopted.action, adopted.day) == ("adopt", DAY + timedelta(days=first))


def stored_files(place) -> Path:
    """Return the folder with the files of the champion in MLflow."""
    source = place.client.get_model_version_by_alias("small", "champion").source
    return Path(source.removeprefix("file://"))


@pytest.mark.parametrize("lost", ["", "artifacts/model.ubj", "MLmodel"])
def test_files_that_are_gone_from_mlflow_are_named_and_stored_again(place, lost):
    path = stored_files(place) / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    (difference,) = place.releases().differences()
    assert "champion is version 1 of 2025-03-01, whose files are no longer in MLflow" in difference
    assert "`ml-assets restore small` stores them again" in difference
    assert place.restore() == ["stored the files of version 1 of 2025-03-01 in MLflow again"]
    assert place.releases().differences() == []
    assert len(mlflow_model(place).predict(pd.DataFrame({"amount": [3.0]}))) == 1


def test_a_version_whose_logged_model_was_removed_for_good_is_registered_again(place):
    model_id = stored_files(place).parent.name
    shutil.rmtree(stored_files(place))
    place.client.delete_logged_model(model_id)
    with sqlite3.connect(place.client.tracking_uri.removeprefix("sqlite:///")) as store:
        for table in ("logged_model_tags", "logged_model_params", "logged_model_metrics", "logged_models"):
            store.execute(f"DELETE FROM {table} WHERE model_id = ?", [model_id])
    assert "whose files are no longer in MLflow" in place.releases().differences()[0]
    assert place.restore() == ["registered version 1 of 2025-03-01 again, as version 2"]
    assert place.releases().differences() == []
    assert len(mlflow_model(place).predict(pd.DataFrame({"amount": [3.0]}))) == 1


def mlflow_model(place):
    """Load the champion as any user of MLflow does."""
    import mlflow

    mlflow.set_tracking_uri(place.client.tracking_uri)
    return mlflow.pyfunc.load_model("models:/small@champion")


@pytest.mark.parametrize("also_lost", ["the lake", "the ledger", "the files in the deploy target"])
def test_a_deploy_target_with_releases_that_neither_ledger_nor_mlflow_have_stops_releases(place, tmp_path, also_lost):
    place.client.delete_registered_model("small")
    lost = tmp_path / "lake" if also_lost == "the lake" else tmp_path / "lake" / "small" / "release_ledger"
    lost.rename(tmp_path / "elsewhere")
    if also_lost == "the files in the deploy target":
        shutil.rmtree(Path(place.target.uri) / "small" / place.champion.digest)
    (difference,) = place.releases().differences()
    assert (
        "ends with release 0, but the deploy target has the champion of release 1: check ML_ASSETS_LAKE" in difference
    )
    with pytest.raises(LedgerLost, match="the deploy target has the champion of release 1"):
        place.releases().state()
    done = place.restore()
    assert "the release ledger continues after release 0 with the model of the deploy target, version 1" in " ".join(
        done
    )
    assert place.releases().state().champion == place.champion
    assert place.releases().differences() == []


def test_a_damaged_file_is_put_back_from_a_copy_whose_digest_matches(place):
    """In the lake from the deploy target, there from the lake, and in MLflow from the lake."""
    files = read_model_files(place.lake, "small", place.champion.digest)
    lake_file = Path(place.lake.uri, place.folder, "model.ubj")
    target_file = Path(place.target.uri, "small", place.champion.digest, "model.ubj")
    version = place.client.get_model_version("small", "1")
    (artifact,) = Path(place.client.get_model_version_download_uri("small", "1").removeprefix("file://")).rglob(
        "model.ubj"
    )
    for file, expected in (
        (lake_file, "copied the files of version 1 of 2025-03-01 from the deploy target to the lake"),
        (target_file, "published version 1 again: the deploy target was damaged"),
        (artifact, "stored the files of version 1 of 2025-03-01 in MLflow again"),
    ):
        file.write_bytes(flipped(files["model.ubj"], 4321))
        assert [sentence[: len(expected)] for sentence in place.restore()] == [expected]
        assert file.read_bytes() == files["model.ubj"]
    target = Path(place.target.uri, "small", "metadata.json")
    target.write_text(target.read_text().replace('"threshold": 0.', '"threshold": 1.'))
    (sentence,) = place.restore()
    assert "the threshold" in sentence
    assert place.restore() == []
    # From MLflow if the deploy target has no good copy either.
    for file in (lake_file, target_file):
        file.write_bytes(b"rotten")
    assert "from MLflow to the lake" in place.restore()[0]
    assert {file.read_bytes() for file in (lake_file, target_file, artifact)} == {files["model.ubj"]}
    assert version.tags["model_digest"] == place.champion.digest
