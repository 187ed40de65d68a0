"""A reader of the deploy target finds one complete model at any time, in a directory and on S3; old models are removed
when no reader needs them.
"""

import queue
import re
import threading
from datetime import UTC, datetime

import pytest

from ml_assets.core.model.digest import model_digest
from ml_assets.core.release.deployment_manifest import champion_row, champions_to_keep, metadata
from ml_assets.core.release.ledger_rows import rows_of
from ml_assets.core.release.release_state import Release, Version, promote
from ml_assets.definitions import DEFS
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.resources.release.release_cases import DAY, model_files, move, read_deployed, read_in_a_loop

pytestmark = pytest.mark.clock


@pytest.fixture
def target(lake) -> DeployTarget:
    return DeployTarget(uri=lake.uri, s3=lake.s3)


class Deploying:
    """Publishes one champion after another, as releases do."""

    def __init__(self, target: DeployTarget):
        self.target, self.state, self.rows = target, Release(), []

    def publish(self, number: int) -> None:
        files = model_files(number)
        version = Version(number, model_digest(files["model.ubj"], files["preprocessing.json"]), DAY)
        after = promote(self.state, version)
        self.rows += rows_of(self.state, move("promote", after), datetime.now(UTC))
        self.state = after
        row = champion_row(self.rows)
        assert row is not None
        self.target.publish(metadata("small", row, files, None), files)
        self.target.remove_others("small", champions_to_keep(self.rows, datetime.now(UTC)))


def test_a_concurrent_reader_never_finds_an_incomplete_or_mixed_model(target):
    deploying = Deploying(target)
    deploying.publish(1)
    stop, results = threading.Event(), queue.Queue()
    # Reader and writer share nothing but the files.
    reader = threading.Thread(target=read_in_a_loop, args=(target.uri, target.s3, stop, results))
    reader.start()
    try:
        assert results.get(timeout=100) == "began"
        for number in [2, 3, 4, 1, 5, 2, 3]:
            deploying.publish(number)
    finally:
        stop.set()
        result = results.get(timeout=60)
        reader.join()
    assert not isinstance(result, str), result
    versions, reads = result
    assert versions <= {1, 2, 3, 4, 5}
    assert reads > 1
    assert read_deployed(target)["version"] == 3


def test_the_documentation_reads_the_deploy_target_as_stated(tmp_path):
    Deploying(DeployTarget(uri=str(tmp_path))).publish(2)
    text = (DEFS.parents[1] / "docs" / "reference" / "releases.md").read_text()
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "metadata.json" in block]
    namespace: dict = {}
    exec(code.replace("data/production/fraud_detection", str(tmp_path / "small")), namespace)
    assert namespace["files"] == model_files(2)
    assert namespace["metadata"]["version"] == 2


def test_a_write_that_fails_leaves_the_previous_model(target, monkeypatch):
    deploying = Deploying(target)
    deploying.publish(1)
    files = open_objects(target.uri, target.s3)
    write = type(files).write

    def die_at_last(self, key: str, content: bytes) -> None:
        if key.endswith("metadata.json"):
            raise OSError("no space left")
        write(self, key, content)

    monkeypatch.setattr(type(files), "write", die_at_last)
    with pytest.raises(OSError, match="no space left"):
        deploying.publish(2)
    assert read_deployed(target)["version"] == 1


@pytest.mark.slow_on_s3
@pytest.mark.parametrize("broken", [b"{", b"[]", b'{"model_digest": "a"}', None])
def test_metadata_that_cannot_be_used_count_as_none(target, broken):
    assert target.published("small") is None
    Deploying(target).publish(1)
    metadata = target.published("small")
    assert metadata is not None
    files = open_objects(target.uri, target.s3)
    if broken is None:
        files.delete(f"small/{metadata['files']['passport.json']['path']}")
    else:
        files.write("small/metadata.json", broken)
    assert target.published("small") is None


@pytest.mark.slow_on_s3
def test_models_outside_keep_are_removed_and_those_of_other_models_stay(target):
    deploying = Deploying(target)
    for number in (1, 2, 3):
        deploying.publish(number)
    files = open_objects(target.uri, target.s3)
    files.write("small_too/digest/model.ubj", b"")
    live = {row["to_digest"] for row in deploying.rows if row["alias"] == "champion" and row["to_version"] in (2, 3)}
    target.remove_others("small", live)
    assert {key.split("/")[1] for key in files.keys("small/")} == {*live, "metadata.json"}
    assert list(files.keys("small_too/")) == ["small_too/digest/model.ubj"]
    assert read_deployed(target)["version"] == 3
