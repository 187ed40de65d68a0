"""Parameter search as a stage: once for several days, resumed, logged to MLflow, used, planned and removed."""

import json
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.fingerprint import CHANGED_INPUT, CHANGED_SPEC
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS, SEARCH, model_assets
from ml_assets.pipeline.graph.stages import open_stages
from ml_assets.pipeline.planning.backfill_plan import UNLESS_THE_SAME, plan_days
from ml_assets.pipeline.planning.repair import models_that_saw
from ml_assets.resources.lake.planned_lake import PlannedLake
from ml_assets.resources.storage.directory import Directory
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, day, failure, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store
from ml_assets_tests.support.forkserver import CONTEXT

pytestmark = pytest.mark.clock

SPACE = {"eta": {"low": 0.05, "high": 0.5, "log": True}, "max_depth": {"low": 1, "high": 4}}
SEARCHED = {"trials": 3, "folds": 2, "every": "3d", "space": SPACE}
LAST = 15
MODELS = [SEARCH, *MODEL_ASSETS]


def searching(**search) -> ModelSpec:
    return ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], "search": {**SEARCHED, **search}}})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with parameters of days 10 to 14, searched on days 10 and 13, and models of days 12 and 13. Tests that
    change it restore it.
    """
    root = tmp_path_factory.mktemp("world")
    world = world_with_features(root, searching(), LAST)
    world.run([SEARCH], day(10), day(14))
    world.run(list(MODEL_ASSETS), day(12), day(13))
    return world


def trial_runs(world: World) -> list:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=world.registry.tracking_uri)
    (experiment,) = client.search_experiments(filter_string="name = 'small'")
    return [run for run in client.search_runs([experiment.experiment_id]) if "trial" in run.data.tags]


def provenance(world: World, number: int) -> dict:
    row = world.stages().training.row(day(number))
    return json.loads((world.root / "lake" / row["artifacts"] / "passport.json").read_text())


@pytest.mark.slow
def test_parameters_are_searched_every_few_days_and_used_for_the_days_between(world):
    search = world.stages().search
    assert search is not None
    rows = {number: search.row(day(number)) for number in range(10, 15)}
    assert [rows[number]["searched_on"] for number in rows] == [day(10), day(10), day(10), day(13), day(13)]
    assert rows[10] == rows[11] == rows[12] != rows[13] == rows[14]
    assert len(list((world.root / "lake" / "small" / "searches").iterdir())) == 2


def test_models_are_trained_with_the_best_parameters_and_their_provenance_names_them(world):
    search = world.stages().search
    assert search is not None
    for number in (12, 13):
        row = search.row(day(number))
        document = provenance(world, number)
        best = json.loads(row["parameters"])
        assert {name: document["parameters"][name] for name in SPACE} == best
        assert document["search"]["value"] == row["value"] >= document["search"]["stated_value"]
        assert (document["search"]["trials"], document["search"]["study"], document["overrides"]) == (
            3,
            row["study"],
            {},
        )
        assert best == search.trials(row["study"])[row["trial"]].parameters
    # The registry has the parameters that the model was trained with, not those of the specification.
    from mlflow import MlflowClient

    entry = world.stages().registration.entry(day(13))
    assert entry is not None
    params = MlflowClient(tracking_uri=world.registry.tracking_uri).get_run(entry["mlflow_run_id"]).data.params
    assert float(params["eta"]) == provenance(world, 13)["parameters"]["eta"]


def test_the_provenance_names_the_days_that_the_search_read(world):
    # The model of day 12 is trained on days 3 to 6; its parameters were searched as of day 10, on days 1 to 4.
    assert sorted(provenance(world, 12)["days"]["features"]) == [str(day(number)) for number in range(1, 7)]


def test_a_repair_finds_the_models_whose_parameters_were_searched_on_its_days(world):
    # The models of days 12 and 13 are trained on days 3 to 7; the parameters of day 12 were searched on days 1 to 4.
    assert models_that_saw(world.stages(), [day(1)]) == [day(12)]
    assert models_that_saw(world.stages(), [day(6)]) == [day(12), day(13)]


def test_every_trial_is_a_nested_run_with_parameters_and_metrics_of_each_fold(world):
    from mlflow import MlflowClient

    runs = trial_runs(world)
    assert sorted((run.data.tags["day"], run.data.tags["trial"]) for run in runs) == [
        (str(day(number)), str(trial)) for number in (10, 13) for trial in range(3)
    ]
    client = MlflowClient(tracking_uri=world.registry.tracking_uri)
    for run in runs:
        assert run.info.status == "FINISHED"
        assert set(run.data.params) == set(SPACE)
        assert "dagster_run_id" in client.get_run(run.data.tags["mlflow.parentRunId"]).data.tags
        folds = [metric.value for metric in client.get_metric_history(run.info.run_id, "average_precision")]
        assert len(folds) == 2
        assert run.data.metrics["mean_average_precision"] == pytest.approx(sum(folds) / 2)


def test_the_asset_shows_the_parameters_and_all_trials_and_the_report_has_them(world):
    result = world.run([SEARCH], day(14))
    (event,) = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    row = world.stages().search.row(day(14))
    assert event.metadata["eta"].value == json.loads(row["parameters"])["eta"]
    assert len(event.metadata["all_trials"].records) == 3
    page = (world.root / "lake" / "small" / "reports" / f"{day(14)}.html").read_text()
    assert "Parameter search" in page
    assert row["study"] in page


def test_running_again_does_nothing(world):
    before, runs = world.commits(), len(trial_runs(world))
    result = world.run(MODELS, day(12), day(13))
    assert [computed(result, name) for name in MODELS] == [[], [], [], []]
    assert (world.commits(), len(trial_runs(world))) == (before, runs)


def test_a_search_with_a_larger_budget_continues_the_existing_trials(world, tmp_path):
    before = {row["study"]: row for row in [world.stages().search.row(day(13))]}
    more = world.copy(tmp_path)
    more.spec = searching(trials=4)
    more.run([SEARCH], day(13))
    row = more.stages().search.row(day(13))
    assert row["study"] in before
    assert row["trials"] == 4
    assert len(trial_runs(more)) == 7


def kill_while_searching(root: Path, attributes: dict, number: int) -> None:
    """Search the parameters of day 13, and die by SIGKILL when the file of a trial is written, before the trial is
    logged.
    """
    world, write = World(root, ModelSpec.model_validate(attributes)), Directory.write

    def dying(directory: Directory, key: str, content: bytes) -> None:
        write(directory, key, content)
        if key.endswith(f"trial-{number:04}.json"):
            os.kill(os.getpid(), signal.SIGKILL)

    with patch.object(Directory, "write", dying):
        world.run([SEARCH], day(13))


@pytest.mark.slow
def test_a_killed_search_resumes_to_the_same_result_and_runs_no_trial_twice(world, tmp_path):
    new_store(tmp_path)
    killed = world_with_features(tmp_path, world.spec, LAST)
    dying = CONTEXT.Process(target=kill_while_searching, args=(tmp_path, world.spec.model_dump(mode="json"), 1))
    dying.start()
    dying.join(300)
    assert dying.exitcode == -signal.SIGKILL
    assert killed.stages().search.tables[SEARCH].fingerprint(day(13)) is None
    written = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("lake/small/searches/*/*.json")}
    assert sorted(written) == ["trial-0000.json", "trial-0001.json"]
    killed.run([SEARCH], day(13))
    undisturbed, resumed = world.stages().search, killed.stages().search
    rows = [{**stage.row(day(13)), "seconds": None} for stage in (undisturbed, resumed)]
    assert rows[0] == rows[1]
    trials = [
        [replace(trial, seconds=0) for trial in stage.trials(rows[0]["study"])] for stage in (undisturbed, resumed)
    ]
    assert trials[0] == trials[1]
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("lake/small/searches/*/*.json")}
    assert {name: after[name] for name in written} == written
    assert sorted((run.data.tags["trial"], run.info.status) for run in trial_runs(killed)) == [
        (str(number), "FINISHED") for number in range(3)
    ]


def test_an_unreadable_file_of_a_trial_is_named(world, tmp_path):
    copy = world.copy(tmp_path)
    copy.spec = searching(trials=4)
    (file,) = tmp_path.glob(f"lake/small/searches/{copy.stages().search.row(day(13))['study']}/trial-0001.json")
    file.write_text("{")
    assert "trial-0001.json in the lake: the document is not a trial" in failure(
        copy.run([SEARCH], day(13), succeed=False)
    )
    file.unlink()
    copy.run([SEARCH], day(13))
    assert copy.stages().search.row(day(13))["trials"] == 4


@pytest.mark.slow
def test_a_changed_day_of_the_window_of_the_search_makes_parameters_and_models_again(tmp_path):
    new_store(tmp_path)
    world = world_with_features(tmp_path, searching(trials=2), LAST)
    world.run(MODELS[:2], day(12))
    # Day 12 is trained on days 3 to 6; its parameters were searched on days 1 to 4.
    changed = rows_of(day(1))
    changed["amount"] *= 2
    world.land(day(1), changed)
    result = world.run(list(LANDED_TO_FEATURES), day(1), day(LAST))
    observations = [event for event in result.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    assert [event.asset_observation_data.asset_observation.partition for event in observations] == [str(day(12))]
    again = world.run(MODELS[:2], day(12))
    assert computed(again, SEARCH) == [day(12)]


@pytest.mark.slow
def test_a_fold_without_positives_fails_a_single_partition_run_and_is_reported_in_a_range(tmp_path):
    new_store(tmp_path)
    world = World(tmp_path, searching())
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number)).assign(label=0) if number == 3 else rows_of(day(number)))
    world.run(list(LANDED_TO_FEATURES), day(1), day(LAST))
    assert "fold 1 of 2 of training.search" in failure(world.run([SEARCH], day(10), succeed=False))
    world.run(MODELS[:2], day(10), day(13))
    stages = world.stages()
    assert stages.search is not None
    assert "fold 1 of 2" in stages.search.row(day(12))["problem"]
    assert "no parameters were found" in stages.training.row(day(12))["problem"]
    assert stages.training.row(day(13))["model_digest"]


def test_a_model_without_parameters_names_the_asset_to_materialize(world):
    assert "without parameter_search of that day" in failure(world.run(["trained_model"], day(15), succeed=False))


def test_a_plan_includes_the_search(world):
    lake = PlannedLake(uri=world.lake.uri)
    stages = [stage for stage in open_stages(world.spec, lake, world.landing, world.registry) if stage.name in MODELS]
    plan = plan_days(world.spec, lake, stages, [day(12), day(13)])
    assert [stage.name for stage in plan.stages] == MODELS
    assert [stage.unchanged for stage in plan.stages] == [[day(12), day(13)]] * 4


def test_a_plan_says_that_other_parameters_may_make_other_models(world):
    lake, spec = PlannedLake(uri=world.lake.uri), searching(trials=4)
    stages = [stage for stage in open_stages(spec, lake, world.landing, world.registry) if stage.name in MODELS]
    search, training, *_ = plan_days(spec, lake, stages, [day(13)]).stages
    assert [(planned.day, planned.reasons) for planned in search.to_make] == [(day(13), (CHANGED_SPEC,))]
    assert [(planned.reasons, planned.inputs, planned.note) for planned in training.to_make] == [
        ((CHANGED_INPUT,), {SEARCH: [day(13)]}, UNLESS_THE_SAME)
    ]


def test_a_specification_without_a_search_has_no_stage_for_it(make_spec):
    assert model_assets(make_spec()) == MODEL_ASSETS
    assert model_assets(searching()) == tuple(MODELS)


@pytest.mark.slow
def test_retention_removes_searches_that_no_day_uses(world, tmp_path):
    from ml_assets.pipeline.retention.apply import Retention

    old = world.copy(tmp_path)
    keep = {"replaced_files": "1d", "models": "20d"}
    old.spec = ModelSpec.model_validate({**world.spec.model_dump(mode="json"), "retention": keep})
    now = datetime.now(UTC) + timedelta(days=2)
    old.run([SEARCH], day(15))
    studies = {folder.name for folder in (tmp_path / "lake" / "small" / "searches").iterdir()}
    removal = Retention(old.spec, old.stages(), old.lake, old.registry, now, "run", dry_run=False).apply()
    used = {row["study"] for number in range(10, 16) if (row := old.stages().search.row(day(number))).get("study")}
    assert {folder.name for folder in (tmp_path / "lake" / "small").glob("searches/*")} == used < studies
    assert removal.files["searches"] > 0
