"""Each state file that is damaged or gone is named with what is lost, and the command of the message mends it."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ml_assets.core.operations.failures.damaged_state import STATE_FILES
from ml_assets.resources.probes.state_probe import find_damaged_home, find_damaged_lake, find_damaged_mlflow
from ml_assets.resources.storage.segments import Segments
from ml_assets_tests.resources.probes.state_damage import (
    COMMIT,
    MODEL,
    StateWorld,
    carry_out_remedy,
    cut_off,
    empty,
    garbage,
    gone,
    two_revisions,
    without_table,
    write_manifest_again,
)


def broken_yaml(file: Path) -> None:
    file.write_text("a: [\n- {b")


def list_at_the_top(file: Path) -> None:
    file.write_text("- a\n")


def not_utf8(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")


CASES: list[tuple[str, str | None, Callable[[Path], None]]] = [
    # A commit before the newest checkpoint is not read any more; the ledger has no checkpoint.
    *(("table", COMMIT.format(12), damage) for damage in (garbage, cut_off, empty)),
    *(("table", COMMIT.format(11), damage) for damage in (garbage, cut_off, empty, gone)),
    *(("table", f"{9:020}.checkpoint.parquet", damage) for damage in (garbage, cut_off, empty, gone)),
    ("table", "", shutil.rmtree),
    *(("release_ledger", None, damage) for damage in (garbage, cut_off, empty)),
    *(("release_ledger", COMMIT.format(0), damage) for damage in (garbage, cut_off, empty, gone)),
    ("release_ledger", "", shutil.rmtree),
    *(("mlflow", None, damage) for damage in (garbage, cut_off, without_table("model_versions"), two_revisions)),
    *(("runs", None, damage) for damage in (garbage, cut_off, empty, gone, two_revisions, without_table("runs"))),
    *(("event_index", None, damage) for damage in (garbage, cut_off, empty, gone, without_table("asset_keys"))),
    *(("schedules", None, damage) for damage in (garbage, cut_off, empty, gone, without_table("jobs"))),
    ("run_events", None, garbage),
    *(("notifications", None, damage) for damage in (garbage, cut_off)),
    *(("dagster_yaml", None, damage) for damage in (broken_yaml, list_at_the_top, not_utf8)),
    *(("run_marker", None, damage) for damage in (garbage, cut_off, empty)),
    *(("corrections", None, damage) for damage in (garbage, cut_off, empty)),
    ("removed_corrections", None, gone),
    *(("deploy_manifest", None, damage) for damage in (garbage, cut_off, empty)),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("state")
    StateWorld(root).create()
    return root


@pytest.fixture
def world(whole: Path, tmp_path: Path) -> StateWorld:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return StateWorld(tmp_path)


def report(world: StateWorld, kind: str) -> str | None:
    try:
        return world.use(kind)
    except Exception as error:
        return str(error)


@pytest.mark.parametrize(
    ("kind", "name", "damage"),
    CASES,
    ids=[f"{kind}-{name or 'file'}-{damage.__name__}" for kind, name, damage in CASES],
)
def test_a_damaged_file_is_named_and_the_remedy_mends_it(world, kind, name, damage):
    assert report(world, kind) is None
    file = world.files()[kind]
    damaged = file if name is None else file.parent / name
    damage(damaged)
    message = report(world, kind)
    assert message is not None
    # delta-rs does not name the file of a log.
    assert str(damaged.parent if "_delta_log" in str(damaged) and name != "" else damaged) in message
    assert STATE_FILES[kind].lost in message
    assert "\n" not in message
    if kind == "deploy_manifest":
        assert f"`ml-assets releases {MODEL}`" in message
        write_manifest_again(world)
    else:
        carry_out_remedy(message)
    assert report(world, kind) is None


def test_every_row_of_the_documentation_has_a_case():
    assert {kind for kind, _, _ in CASES} == set(STATE_FILES)


def test_the_doctor_finds_nothing_in_a_whole_world(world):
    assert find_damaged_home(world.home) == []
    assert find_damaged_mlflow(f"sqlite:///{world.root}/mlflow.db") == []
    assert find_damaged_lake(world.lake, MODEL) == []


def test_segments_of_served_requests_are_no_table(world):
    Segments(world.lake.files, MODEL).write(date(2025, 1, 1), "a", pa.table({"score": [0.5]}))
    assert find_damaged_lake(world.lake, MODEL) == []


def test_the_doctor_finds_every_damage_at_once(world):
    for kind in ("runs", "schedules", "notifications", "mlflow", "table", "release_ledger", "run_marker"):
        garbage(world.files()[kind])
    messages = [
        *find_damaged_home(world.home),
        *find_damaged_mlflow(f"sqlite:///{world.root}/mlflow.db"),
        *find_damaged_lake(world.lake, MODEL),
    ]
    assert len(messages) == 7
