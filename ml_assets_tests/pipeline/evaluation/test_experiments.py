"""Runs with overrides of training: an experiment is only tracked, a candidate is a model like any other."""

import json
from pathlib import Path

import dagster as dg
import pytest
from mlflow import MlflowClient

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.training import Parameters, Training
from ml_assets.core.model_spec.types.task import Outputs
from ml_assets.pipeline.asset_names import MODEL_ASSETS
from ml_assets.pipeline.evaluation.plots import plot_names
from ml_assets.pipeline.training.config import TrainingConfig
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, computed, day, failure, tags_of
from ml_assets_tests.pipeline.worlds import world_with_features, world_with_model

pytestmark = pytest.mark.plots

MODELS, LAST = list(MODEL_ASSETS), 13
OVERRIDES = {"eta": 0.5, "max_depth": 2, "rounds": 4}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with the model of day 12, which tests do not change."""
    return world_with_model(tmp_path_factory.mktemp("world"))


def run_with(
    world: World, config: dict, first: int, last: int | None = None, names: list[str] = MODELS
) -> dg.ExecuteInProcessResult:
    """Materialize assets of the model in a run with a configuration of trained_model."""
    tags = tags_of(day(first), day(last) if last is not None else None)
    return world.materialize(names, tags, {"small__trained_model": {"config": config}})


def experiments(world: World) -> list:
    """Read the MLflow runs of experiments."""
    client = MlflowClient(tracking_uri=world.registry.tracking_uri)
    (experiment,) = client.search_experiments(filter_string="name = 'small'")
    return client.search_runs([experiment.experiment_id], "tags.experiment = 'true'")


def observations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetObservation]:
    recorded = [
        event.asset_observation_data.asset_observation
        for event in result.all_events
        if event.event_type_value == "ASSET_OBSERVATION"
    ]
    return {observation.partition or "": observation for observation in recorded}


def provenance(world: World, number: int) -> dict:
    row = world.stages().training.row(day(number))
    return json.loads((world.root / "lake" / row["artifacts"] / "passport.json").read_text())


def files_of(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in (root / "lake").rglob("*") if path.is_file()}


def test_every_parameter_and_setting_of_training_can_be_overridden():
    fields = set(TrainingConfig.model_fields) - {"candidate", "train"}
    assert fields == {*Parameters.model_fields, "rounds", "early_stopping_rounds", "refit", "seed"}
    for name in fields:
        stated = (Parameters if name in Parameters.model_fields else Training).model_fields[name].annotation
        assert TrainingConfig.model_fields[name].annotation == (stated | None)


@pytest.mark.slow
def test_an_experiment_is_tracked_and_the_lake_does_not_change(world):
    before, runs = files_of(world.root), len(experiments(world))
    result = run_with(world, OVERRIDES, 12)
    assert result.success
    assert files_of(world.root) == before
    assert not result.get_asset_materialization_events()
    skipped = {event.step_key for event in result.all_events if event.event_type_value == "STEP_SKIPPED"}
    assert skipped == {"small__evaluation", "small__model_registry_entry"}
    assert len(experiments(world)) == runs + 1


def test_an_experiment_of_a_model_that_is_not_due_every_day_leaves_its_check_without_an_evaluation(tmp_path):
    spec = ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], "every": "2d"}})
    world = world_with_features(tmp_path, spec)
    result = run_with(world, {**OVERRIDES, "train": True}, 12, names=["trained_model"])
    assert result.success
    assert not result.get_asset_check_evaluations()
    assert len(experiments(world)) == 1


def test_an_experiment_has_parameters_metrics_learning_curve_plots_and_provenance(world):
    result = run_with(world, OVERRIDES, 13)
    metadata = observations(result)[str(day(13))].metadata
    client = MlflowClient(tracking_uri=world.registry.tracking_uri)
    run = client.get_run(metadata["mlflow_run_id"].value)
    assert run.info.status == "FINISHED"
    assert (run.data.tags["day"], json.loads(run.data.tags["overrides"])) == (str(day(13)), OVERRIDES)
    assert (run.data.params["eta"], run.data.params["max_depth"], run.data.params["subsample"]) == ("0.5", "2", "1.0")
    assert 0 < run.data.metrics["roc_auc"] <= 1
    assert 0 < run.data.metrics["validation_roc_auc"] <= 1
    assert metadata["roc_auc"].value == round(run.data.metrics["roc_auc"], 6)
    curve = client.get_metric_history(run.info.run_id, "curve_logloss")
    assert [point.step for point in sorted(curve, key=lambda point: point.step)] == list(range(1, len(curve) + 1))
    assert 1 <= len(curve) <= 4
    files = {file.path for folder in ("plots", "model") for file in client.list_artifacts(run.info.run_id, folder)}
    assert {f"plots/{name}.svg" for name in plot_names(Outputs())} == {
        name for name in files if name.startswith("plots/")
    }
    assert {"model/passport.json", "model/model.ubj"} <= files
    provenance_file = client.download_artifacts(run.info.run_id, "model/passport.json")
    document = json.loads(Path(provenance_file).read_text())
    assert (document["overrides"], document["parameters"]["eta"]) == (OVERRIDES, 0.5)
    # Day 13 had no model before, and the experiment made none.
    assert world.stages().training.row(day(13))["model_digest"] is None


@pytest.mark.slow
def test_each_day_of_a_range_is_an_experiment_and_days_without_a_model_fail_the_run_afterwards(world):
    result = run_with(world, OVERRIDES, 8, 11, ["trained_model"])
    assert sorted(observations(result)) == [str(day(10)), str(day(11))]
    assert "first day that has a model" in failure(result)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"eta": 2.0}, r"training.parameters.eta: Input should be less than or equal to 1, not 2.0"),
        ({"rounds": 0, "candidate": True}, r"training.rounds: Input should be greater than or equal to 1, not 0"),
    ],
)
def test_invalid_values_are_refused_as_in_the_specification(world, config, message):
    result = run_with(world, config, 12, names=["trained_model"])
    assert message in failure(result)
    assert not any(event.event_type_value == "STEP_UP_FOR_RETRY" for event in result.all_events)


def test_unknown_settings_and_wrong_types_are_refused_by_dagster(world):
    for config in ({"depth": 3}, {"max_depth": "deep"}):
        with pytest.raises(dg.DagsterInvalidConfigError, match="depth"):
            run_with(world, config, 12)


def test_candidate_without_overrides_is_a_run_like_any_other(world):
    result = run_with(world, {"candidate": True}, 12)
    assert [computed(result, name) for name in MODELS] == [[], [], []]


@pytest.mark.slow
def test_a_candidate_is_the_model_of_its_day_until_the_day_is_made_again(world, tmp_path):
    copy = world.copy(tmp_path)
    before = copy.stages().training.row(day(12))
    result = run_with(copy, {**OVERRIDES, "candidate": True}, 12)
    assert [computed(result, name) for name in MODELS] == [[day(12)]] * 3
    row, entry = copy.stages().training.row(day(12)), copy.stages().registration.entry(day(12))
    assert row["model_digest"] != before["model_digest"]
    assert entry["model_digest"] == row["model_digest"]
    assert (provenance(copy, 12)["overrides"], provenance(copy, 12)["parameters"]["max_depth"]) == (OVERRIDES, 2)
    params = MlflowClient(tracking_uri=copy.registry.tracking_uri).get_run(entry["mlflow_run_id"]).data.params
    assert params["eta"] == "0.5"
    # The same run again changes nothing; a run without overrides restores the model of the specification.
    assert computed(run_with(copy, {**OVERRIDES, "candidate": True}, 12), "trained_model") == []
    copy.run(MODELS, day(12))
    assert copy.stages().training.row(day(12)) == before


@pytest.mark.slow
def test_a_candidate_that_fails_a_gate_is_not_registered(world, tmp_path):
    copy = world.copy(tmp_path)
    copy.spec = ModelSpec.model_validate({**SMALL, "gates": {"roc_auc": {"minimum": 0.999}}})
    result = run_with(copy, {"max_depth": 1, "rounds": 1, "candidate": True}, 13)
    assert not result.success
    assert copy.stages().registration.entry(day(13)) is None
