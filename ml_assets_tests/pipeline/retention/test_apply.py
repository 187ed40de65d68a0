"""Retention removes old data, keeps everything that an alias or a registered model needs, and can be interrupted."""

import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from deltalake import DeltaTable

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.release.release_state import Move, roll_back, start
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets.pipeline.automation.arrivals_sensor import compare_with_lake
from ml_assets.pipeline.engine.day_state import is_current
from ml_assets.pipeline.evaluation.champion import ALIAS
from ml_assets.pipeline.retention import job
from ml_assets.pipeline.retention.apply import Retention
from ml_assets.pipeline.retention.job import retention_job, retention_schedule
from ml_assets.pipeline.retention.result import ProvenanceUnreadable, Removal
from ml_assets.pipeline.validation.corrections import Corrections
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.probes.state_probe import find_damaged_lake
from ml_assets.resources.registry import cleanup as registry_cleanup
from ml_assets.resources.storage.directory import Directory
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, day, failure, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store
from ml_assets_tests.support.clock import stop_clock

pytestmark = pytest.mark.clock

DAILY, MODELS = list(LANDED_TO_FEATURES), list(MODEL_ASSETS)
LAST = 13
# Files were written just now, so the passes are of some days later.
NOW = datetime.now(UTC) + timedelta(days=3)


def policy(now: datetime = NOW, **first: int) -> dict:
    """Return a specification whose retention keeps days from the given numbers on."""
    ages = {name: f"{(now.date() - day(number)).days}d" for name, number in first.items()}
    return {**SMALL, "retention": {"replaced_files": "1d", **ages}}


# Model 11 was trained on days 2 to 5 and what they see, 1 to 5; model 13 on days 4 to 7 and 3 to 7.
SPEC = ModelSpec.model_validate(policy(days=12, models=13))


def run_pass(world: World, spec: ModelSpec = SPEC, dry_run: bool = False) -> Removal:
    return Retention(spec, world.stages(), Lake(uri=world.lake.uri), world.registry, NOW, "run-1", dry_run).apply()


def made_world(root: Path) -> World:
    """Models of days 11 to 13; the champion is of day 13, and the alias `shadow` points to that of day 11. Days 3 and 9
    were replaced.
    """
    world = world_with_features(root, SPEC)
    world.run(MODELS, day(11), day(LAST))
    world.promote(3)
    world.registry.client.set_registered_model_alias("small", "shadow", "1")
    for number in (9, 3):
        changed = rows_of(day(number))
        changed.loc[0, "amount"] += 1
        world.land(day(number), changed)
    world.run(DAILY, day(3), day(10))
    return world


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_world(tmp_path_factory.mktemp("original")).root


def copy_world(original: Path, root: Path) -> World:
    """Copy a world; the MLflow store of the copy names the copied files."""
    shutil.copytree(original, root)
    with sqlite3.connect(root / "mlflow.db") as store:
        store.execute(
            "UPDATE logged_models SET artifact_location = replace(artifact_location, ?, ?)", (str(original), str(root))
        )
    return World(root, SPEC)


@pytest.fixture
def world(original: Path, tmp_path: Path) -> World:
    """A copy of the original world that a test may change."""
    return copy_world(original, tmp_path / "world")


def tables(world: World) -> dict:
    stages = world.stages()
    opened = (
        stages.ingestion,
        stages.validation,
        stages.features,
        stages.training,
        stages.evaluation,
        stages.registration,
    )
    return {name: table for stage in opened for name, table in stage.tables.items()}


def days_held(world: World, name: str) -> list[int]:
    return sorted((present - day(1)).days + 1 for present in tables(world)[name].row_counts())


def registered(world: World) -> dict[int, tuple[str, ...]]:
    return {
        version.number: version.aliases
        for version in registry_cleanup.registered_versions(world.registry.client, "small")
    }


def contents(world: World) -> dict[str, int]:
    """Return the size of every file of the lake and of MLflow's artifacts."""
    return {
        str(path.relative_to(world.root)): path.stat().st_size
        for path in world.root.rglob("*")
        if path.is_file() and "mlflow.db" not in path.name
    }


def test_a_model_with_an_alias_keeps_everything_that_its_provenance_names_and_others_are_removed(world):
    removal = run_pass(world)
    assert [str(version) for version in removal.versions] == [f"version 2 of {day(12)}"]
    assert registered(world) == {1: ("shadow",), 3: (ALIAS,)}
    for name in MODELS:
        assert days_held(world, name) == [11, 13]
    stages = world.stages()
    digests = {stages.training.row(day(number))["model_digest"] for number in (11, 13)}
    assert {path.name for path in (world.root / "lake" / "small" / "models").iterdir()} == digests
    assert set(registry_cleanup.logged_models(world.registry.client, "small")) == digests
    assert (len(removal.models), removal.logged_models) == (1, 1)
    assert days_held(world, "raw_data") == days_held(world, "landed_objects") == [1, 2, 3, 4, 5, 6, 7, 12, 13]
    assert days_held(world, "validated_data") == [1, 2, 3, 4, 5, 6, 7, 12, 13]
    assert days_held(world, "features") == [2, 3, 4, 5, 6, 7, 12, 13]
    assert f"version 1 of {day(11)} (shadow): an alias points to it" in removal.kept
    assert any("raw_data: 7 days, 2025-01-01 to 2025-01-07, read by version 1" in line for line in removal.kept)
    before, again = contents(world), run_pass(world)
    assert contents(world) == before
    assert (again.versions, again.models, again.logged_models) == ([], [], 0)
    assert not any(again.days.values())
    assert not any(again.files.values())


def test_replaced_rows_that_a_provenance_names_stay_readable_and_other_replaced_files_are_deleted(world):
    uri = tables(world)["raw_data"].uri
    (replaced, *_) = [commit for commit in DeltaTable(uri).history() if str(day(3)) in commit.get("fingerprints", "")][
        1:
    ]
    old = DeltaTable(uri, replaced["version"]).to_pyarrow_table([("day", "=", str(day(3)))]).to_pandas()
    now = DeltaTable(uri).to_pyarrow_table([("day", "=", str(day(3)))]).to_pandas()
    assert old["amount"].sum() == pytest.approx(now["amount"].sum() - 1)
    removal = run_pass(world)
    again = DeltaTable(uri, replaced["version"]).to_pyarrow_table([("day", "=", str(day(3)))]).to_pandas()
    assert again.equals(old)
    # The pass is of a later day, so what it removed itself counts as replaced long ago: days 8 to 11, and day 9 as it
    # was first.
    assert removal.files["raw_data"] == 5
    assert removal.bytes["raw_data"] > 5000
    assert not list(Path(uri, f"day={day(9)}").glob("*.parquet"))
    assert len(list(Path(uri, f"day={day(3)}").glob("*.parquet"))) == 2
    assert removal.not_vacuumed == {}


def test_a_dry_run_reports_the_same_and_removes_nothing(world):
    # Opening makes the tables of stages that never ran.
    world.stages()
    before, versions = contents(world), registered(world)
    reported = run_pass(world, dry_run=True)
    assert contents(world) == before
    assert registered(world) == versions
    done = run_pass(world)
    assert (reported.versions, reported.models, reported.logged_models, reported.days) == (
        done.versions,
        done.models,
        done.logged_models,
        done.days,
    )
    # Rows that were not removed have no replaced files yet.
    assert 0 < reported.files["raw_data"] < done.files["raw_data"]


@pytest.mark.parametrize("damage", ["missing", "not a provenance"])
def test_an_unreadable_provenance_of_a_version_that_stays_stops_the_pass_before_anything_is_removed(world, damage):
    digest = world.stages().training.row(day(11))["model_digest"]
    provenance = world.root / "lake" / "small" / "models" / digest / "passport.json"
    provenance.unlink() if damage == "missing" else provenance.write_text("{}")
    before, versions = contents(world), registered(world)
    with pytest.raises(
        ProvenanceUnreadable,
        match=rf"the provenance of version 1 of {day(11)} \(shadow\), small/models/{digest}/passport.json",
    ):
        run_pass(world)
    assert contents(world) == before
    assert registered(world) == versions


def test_files_of_unreferenced_models_are_deleted_even_if_their_provenance_is_unreadable(world):
    forgotten = world.root / "lake" / "small" / "models" / "forgotten"
    forgotten.mkdir()
    (forgotten / "model.ubj").write_bytes(b"x")
    digest = world.stages().training.row(day(12))["model_digest"]
    (world.root / "lake" / "small" / "models" / digest / "passport.json").unlink()
    removal = run_pass(world)
    assert ([version.number for version in removal.versions], removal.models) == ([2], sorted([digest, "forgotten"]))
    assert not forgotten.exists()


@pytest.mark.slow
def test_no_files_of_a_table_are_deleted_if_a_version_needs_a_fingerprint_that_the_table_does_not_know(world):
    digest = world.stages().training.row(day(11))["model_digest"]
    provenance = world.root / "lake" / "small" / "models" / digest / "passport.json"
    fingerprint = f"{tables(world)['features'].fingerprint(day(5)):016x}"
    provenance.write_text(provenance.read_text().replace(fingerprint, "00000000000000aa"))
    removal = run_pass(world)
    assert set(removal.not_vacuumed) == {"features"}
    assert "2025-01-05 (00000000000000aa)" in removal.not_vacuumed["features"]
    assert "features" not in removal.files
    assert removal.files["raw_data"] == 5


@pytest.mark.slow
def test_a_version_that_gets_an_alias_during_the_pass_is_kept(world, monkeypatch):
    delete = registry_cleanup.delete_version

    def moved_first(client, name: str, number: int) -> bool:
        client.set_registered_model_alias(name, "blue", str(number))
        return delete(client, name, number)

    monkeypatch.setattr(registry_cleanup, "delete_version", moved_first)
    removal = run_pass(world)
    assert removal.versions == []
    assert registered(world) == {1: ("shadow",), 2: ("blue",), 3: (ALIAS,)}
    assert days_held(world, "trained_model") == [11, 12, 13]
    digest = world.stages().training.row(day(12))["model_digest"]
    assert (world.root / "lake" / "small" / "models" / digest / "model.ubj").exists()


def die_after(calls: int, action: Callable) -> Callable:
    """Wrap a function that dies after a number of calls."""
    remaining = [calls]

    def die(*args, **kwargs):
        if remaining[0] == 0:
            raise KeyboardInterrupt
        remaining[0] -= 1
        return action(*args, **kwargs)

    return die


@pytest.mark.parametrize(
    ("owner", "name", "calls"),
    [
        (Table, "expire", 5),
        (Table, "expire", 1),
        (Directory, "delete", 5),
        (registry_cleanup, "delete_logged_model", 0),
    ],
)
@pytest.mark.slow
def test_a_pass_that_dies_anywhere_is_completed_by_the_next(world, complete_state, monkeypatch, owner, name, calls):
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, die_after(calls, getattr(owner, name)))
        with pytest.raises(KeyboardInterrupt):
            run_pass(world)
    run_pass(world)
    assert state(world) == complete_state


def state(world: World) -> dict:
    """Return the state that a pass changes: days by table, versions, logged models, and files of models and days."""
    files = [
        name
        for name in contents(world)
        if name.endswith((".parquet", ".ubj", "passport.json", "MLmodel")) and "_delta_log" not in name
    ]
    counts = {
        folder: sum(name.startswith(folder) for name in files) for folder in {name.rpartition("/")[0] for name in files}
    }
    logged = set(registry_cleanup.logged_models(world.registry.client, "small"))
    return {
        "days": {name: days_held(world, name) for name in tables(world)},
        "versions": registered(world),
        "logged": logged,
        "files": counts,
    }


@pytest.fixture(scope="module")
def complete_state(original: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The state after a pass that nothing interrupts."""
    world = copy_world(original, tmp_path_factory.mktemp("whole") / "world")
    run_pass(world)
    return state(world)


@pytest.mark.slow
def test_days_since_a_live_canary_began_are_kept_until_it_is_decided(world):
    releases = world.releases()
    before = releases.state()
    after = start(before, releases.version(2), 25, day(10))
    releases.release(before, Move("start", after, day(10), "test", "test", {}))
    removal = run_pass(world)
    assert days_held(world, "features")[-4:] == [10, 11, 12, 13]
    assert f"days from {day(10)} on: the canary that began then is decided on their rows" in removal.kept
    withdrawn = roll_back(after)
    releases.release(after, Move("rollback", withdrawn, day(14), "test", "test", {}))
    run_pass(world)
    assert 10 not in days_held(world, "features")


@pytest.mark.slow
def test_days_whose_inputs_were_removed_stay_as_they_are(world):
    before = tables(world)["features"].read([day(12)]).to_pandas()
    run_pass(world)
    assert tables(world)["raw_data"].fingerprint(day(11)) == EXPIRED
    compare_day, feed = compare_with_lake(SPEC, Lake(uri=world.lake.uri), world.landing), rows_feed(SPEC)
    assert compare_day(feed, day(11), world.landing.objects_of_day(SPEC.source, day(11))).status == "current"
    result = world.run(["features"], day(12), day(13))
    assert computed(result, "features") == []
    (event,) = [e for e in result.get_asset_materialization_events() if e.partition == str(day(12))]
    assert (
        "retention removed the rows of 1 of these days"
        in event.step_materialization_data.materialization.metadata["left_as_it_is"].value
    )
    assert is_current(world.stages().features, day(12))
    assert tables(world)["features"].read([day(12)]).to_pandas().equals(before)


@pytest.mark.slow
def test_a_removed_day_cannot_be_read_but_can_be_made_again(world):
    before = {
        name: tables(world)[name].read([day(number) for number in (8, 9, 10, 11)]).to_pylist()
        for name in ("raw_data", "features")
    }
    run_pass(world)
    reason = failure(world.run(["features"], day(9), succeed=False))
    assert (
        "validated_data of 2025-01-08 to 2025-01-09 are needed for the features of 2025-01-09" in reason
        or "removed the rows of 2 of these days" in reason
    )
    assert "materialize raw_data to validated_data of these days again" in reason
    reason = failure(world.run(["validated_data", "quarantined_data"], day(9), succeed=False))
    assert "without raw_data of that day, whose rows retention removed; materialize raw_data again first" in reason
    result = world.run(DAILY, day(8), day(11))
    assert computed(result, "raw_data") == [day(number) for number in (8, 9, 10, 11)]
    assert {
        name: tables(world)[name].read([day(number) for number in (8, 9, 10, 11)]).to_pylist() for name in before
    } == before
    assert "which retention removed" in failure(world.run(["evaluation"], day(12), succeed=False))
    assert computed(world.run(["trained_model"], day(12)), "trained_model") == [day(12)]


def test_a_removed_day_whose_files_are_gone_too_is_not_made_as_an_empty_day(world):
    run_pass(world)
    world.remove(day(9))
    assert "its files are no longer under" in failure(world.run(["raw_data"], day(8), day(9), succeed=False))
    assert tables(world)["raw_data"].fingerprint(day(9)) == EXPIRED


@pytest.mark.slow
def test_a_policy_removes_only_what_it_names(world):
    versions, days = registered(world), days_held(world, "raw_data")
    removal = run_pass(world, ModelSpec.model_validate(policy()))
    assert removal.files["raw_data"] == 1
    assert (registered(world), days_held(world, "raw_data"), days_held(world, "trained_model")) == (
        versions,
        days,
        [11, 12, 13],
    )
    removal = run_pass(world, ModelSpec.model_validate(policy(models=13)))
    assert days_held(world, "raw_data") == days
    assert days_held(world, "trained_model") == [11, 13]


@pytest.mark.slow
@pytest.mark.parametrize("interrupted", [False, True])
def test_corrections_are_removed_with_the_rows_of_their_day(world, interrupted):
    corrections = Corrections(Lake(uri=world.lake.uri), rows_feed(SPEC))
    kept, gone, recent = day(2), day(9), day(12)
    corrections.write({which: ("000001-00.jsonl", b"") for which in (kept, gone, recent)})
    if interrupted:
        world.stages().ingestion.tables["raw_data"].expire([gone], {})
    assert run_pass(world, dry_run=True).files["corrections"] == 1
    assert corrections.days() == [kept, gone, recent]
    assert run_pass(world).files["corrections"] == 1
    corrections.refresh()
    assert corrections.days() == [kept, recent]
    assert find_damaged_lake(Lake(uri=world.lake.uri), "small") == []


def run_job(world: World, spec: ModelSpec, dry_run: bool) -> dg.ExecuteInProcessResult:
    return retention_job(spec).execute_in_process(
        instance=world.instance,
        resources={"lake": Lake(uri=world.lake.uri), "landing": world.landing, "registry": world.registry},
        run_config={
            "ops": {"small_retention": {"config": {"dry_run": dry_run}}},
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
        raise_on_error=False,
    )


@pytest.mark.slow
def test_the_job_reports_what_it_removed_and_what_it_kept(world, monkeypatch):
    # By today's date, as the job sees it, what was written is younger than a day, so no file goes.
    now = datetime.now(UTC)
    stop_clock(monkeypatch, job, now)
    spec = ModelSpec.model_validate(policy(now, days=12, models=13))
    result = run_job(world, spec, dry_run=True)
    assert result.success
    (event,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    metadata = event.step_output_data.metadata
    assert metadata["dry_run"].value is True
    assert metadata["days_removed"].value > 10
    assert "version 2 of 2025-01-12" in metadata["versions_removed"].value
    assert "shadow" in metadata["kept"].value
    assert days_held(world, "raw_data") == list(range(1, LAST + 1))
    assert run_job(world, spec, dry_run=False).success
    assert registered(world) == {1: ("shadow",), 3: (ALIAS,)}
    digest = world.stages().training.row(day(11))["model_digest"]
    (world.root / "lake" / "small" / "models" / digest / "passport.json").unlink()
    assert "cannot be read" in failure(run_job(world, spec, dry_run=False))


def test_the_schedule_runs_on_sundays_in_the_time_zone_of_the_source():
    spec = ModelSpec.model_validate(
        {**policy(models=13), "source": {**SMALL["source"], "time_zone": "Europe/Brussels"}}
    )
    schedule = retention_schedule(spec, retention_job(spec))
    assert (schedule.name, schedule.cron_schedule, schedule.execution_timezone) == (
        "small_retention",
        "0 4 * * 0",
        "Europe/Brussels",
    )
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def reports_held(world: World) -> dict[str, set[str]]:
    """Return the days with a page, and those with a folder of parts."""
    root = world.root / "lake" / "small" / "reports"
    days = {
        "pages": {path.stem for path in root.glob("*.html")},
        "parts": {path.name for path in root.iterdir() if path.is_dir()},
    }
    assert all(list((root / name).iterdir()) for name in days["parts"])
    return days


@pytest.mark.slow
def test_reports_are_removed_with_the_rows_that_they_show_except_in_a_dry_run(world):
    everything = {str(day(number)) for number in range(1, LAST + 1)}
    assert reports_held(world) == {"pages": everything, "parts": everything}
    would_go = run_pass(world, dry_run=True).days["reports"]
    assert reports_held(world) == {"pages": everything, "parts": everything}
    assert run_pass(world).days["reports"] == would_go
    # Models 11 and 13 stay, which read days 1 to 7.
    kept = {str(day(number)) for number in [*range(1, 8), 12, 13]}
    assert reports_held(world) == {"pages": kept, "parts": kept}
    assert run_pass(world).days["reports"] == []


@pytest.mark.slow
def test_samples_of_rows_are_removed_with_the_quarantined_rows(tmp_path):
    new_store(tmp_path)
    world = World(tmp_path, SPEC)
    for number in (1, 12):
        rows = rows_of(day(number))
        rows.loc[0, "amount"] = -1.0
        world.land(day(number), rows)
        world.run(["raw_data", "validated_data", "quarantined_data"], day(number))
    for name in ("quarantined_data", "violations"):
        assert days_held(world, name) == [1, 12]
    run_pass(world)
    for name in ("quarantined_data", "violations"):
        assert days_held(world, name) == [12]
        assert tables(world)[name].fingerprint(day(1)) == EXPIRED
