"""A model that fails a gate is never registered: not by a run of its day, of a range, or of its registry entry only.

MLflow shows the failing model as a run.
"""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from mlflow import MlflowClient

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import MODEL_ASSETS
from ml_assets.pipeline.evaluation.champion import ALIAS
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.planning.plan_cases import of_stage, plan_of, planned
from ml_assets_tests.pipeline.world import World, check, computed, day
from ml_assets_tests.pipeline.worlds import world_with_features

MODELS, ENTRY = list(MODEL_ASSETS), ["model_registry_entry"]
IMPOSSIBLE = {"roc_auc": {"minimum": 0.5}, "log_loss": {"maximum": 1e-9}}


def spec_with(**changes) -> ModelSpec:
    return ModelSpec.model_validate({**SMALL, **changes})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Build 13 days from landing to features, and the model of day 12 as the champion."""
    root = tmp_path_factory.mktemp("original")
    world = world_with_features(root)
    world.run(MODELS, day(12))
    world.promote(1)
    return world


@pytest.fixture
def root(original: World, tmp_path: Path) -> Path:
    """Copy the world, so that a test can change it."""
    return original.copy(tmp_path / "world").root


def client(world: World) -> MlflowClient:
    return MlflowClient(tracking_uri=world.registry.tracking_uri)


def versions(world: World) -> dict[int, str]:
    """Return the day of each version."""
    return {
        int(version.version): version.tags["day"] for version in client(world).search_model_versions("name='small'")
    }


def failing_runs(world: World) -> list:
    mlflow_client = client(world)
    experiment = mlflow_client.get_experiment_by_name("small")
    assert experiment is not None
    return list(mlflow_client.search_runs([experiment.experiment_id], "tags.gates = 'failed'"))


def registered_day(result: dg.ExecuteInProcessResult, which: date) -> dg.AssetMaterialization | None:
    """Return the materialization of a day of model_registry_entry in a run, if there is one."""
    materializations = [
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    ]
    return next(
        (
            materialization
            for materialization in materializations
            if materialization.asset_key.path[-1] == ENTRY[0] and materialization.partition == str(which)
        ),
        None,
    )


def test_a_run_of_one_day_stops_before_registration_each_time(root):
    world = World(root, spec_with(gates=IMPOSSIBLE))
    for computed_days in ([day(13)], []):
        result = world.run(MODELS, day(13), succeed=False)
        assert check(result, "gate_roc_auc").passed
        failed = check(result, "gate_log_loss")
        assert (failed.passed, failed.severity, failed.blocking) == (False, dg.AssetCheckSeverity.ERROR, True)
        assert "is above the maximum" in (failed.description or "")
        assert computed(result, "evaluation") == computed_days
        assert registered_day(result, day(13)) is None
        assert world.stages().registration.entry(day(13)) is None
        assert versions(world) == {1: str(day(12))}
        assert world.registry.alias_version("small", ALIAS) == 1
        assert len(failing_runs(world)) == 1


def test_a_failing_model_is_a_run_in_mlflow_with_metrics_plots_and_reasons(root):
    world = World(root, spec_with(gates=IMPOSSIBLE))
    world.run(MODELS, day(13), succeed=False)
    (run,) = failing_runs(world)
    digest = world.stages().training.row(day(13))["model_digest"]
    assert (run.data.tags["model_digest"], run.data.tags["day"]) == (digest, str(day(13)))
    assert "is above the maximum" in run.data.tags["gate_log_loss"]
    assert run.info.status == "FINISHED"
    assert run.data.metrics["roc_auc"] > 0.5
    assert run.data.params["rounds"]
    assert "plots/roc_curve.svg" in {
        artifact.path for artifact in client(world).list_artifacts(run.info.run_id, "plots")
    }
    other_bounds = World(root, spec_with(gates={"log_loss": {"maximum": 1e-8}}))
    other_bounds.run(["evaluation"], day(13), succeed=False)
    (run_after_change,) = failing_runs(world)
    assert run_after_change.info.run_id == run.info.run_id
    assert "maximum 1e-08" in run_after_change.data.tags["gate_log_loss"]


@pytest.mark.slow
def test_a_run_of_only_the_entry_of_a_failed_day_registers_nothing_and_says_why(root):
    world = World(root, spec_with(gates=IMPOSSIBLE))
    world.run(MODELS, day(13), succeed=False)
    result = world.run(ENTRY, day(13))
    entry = registered_day(result, day(13))
    assert entry is not None
    assert "gates not passed: log_loss" in str(entry.metadata["problem"].value)
    assert "fingerprint" not in entry.metadata
    assert computed(result, ENTRY[0]) == []
    assert versions(world) == {1: str(day(12))}


@pytest.mark.slow
def test_in_a_range_only_the_days_that_pass_their_gates_are_registered(root):
    world = World(root, spec_with())
    world.run(["trained_model", "evaluation"], day(10), day(13))
    measured = {
        number: world.stages().evaluation.overall(day(number)).set_index("metric").loc["log_loss", "value"]
        for number in (10, 11, 13)
    }
    best, *others = sorted(measured, key=lambda number: measured[number])
    strict = World(root, spec_with(gates={"log_loss": {"maximum": (measured[best] + measured[others[0]]) / 2}}))
    for _ in range(2):
        result = strict.run(MODELS, day(10), day(13))
        evaluation = check(result, "gate_log_loss")
        assert (evaluation.passed, evaluation.severity, evaluation.blocking) == (
            False,
            dg.AssetCheckSeverity.ERROR,
            False,
        )
        verdicts = {row.data["day"]: row.data["verdict"] for row in evaluation.metadata["by_day"].value.records}
        assert verdicts[str(day(best))] == "passed"
        assert {verdicts[str(day(number))] for number in others} == {"failed"}
        assert str(day(best)) in versions(strict).values()
        assert not {str(day(number)) for number in others} & set(versions(strict).values())
        assert {run.data.tags["day"] for run in failing_runs(strict)} == {str(day(number)) for number in others}
    assert computed(result, ENTRY[0]) == []
    plan = of_stage(plan_of(strict, day(10), day(13), MODELS), ENTRY[0])
    assert plan.to_make == []
    assert {kept_day for kept_day, _ in plan.kept} == {day(number) for number in others}


@pytest.mark.slow
def test_a_range_in_which_no_day_passes_stops_before_registration(root):
    world = World(root, spec_with(gates=IMPOSSIBLE))
    result = world.run(MODELS, day(10), day(11), succeed=False)
    assert check(result, "gate_log_loss").blocking
    assert versions(world) == {1: str(day(12))}


@pytest.mark.slow
def test_a_range_without_a_model_fails_its_gates_as_a_warning_and_goes_on(root):
    evaluation = check(World(root, spec_with()).run(MODELS, day(7), day(8)), "gate_roc_auc")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "no day of the run has a model" in (evaluation.description or "")


def test_a_registered_version_whose_gates_no_longer_pass_is_tagged_as_failed(root):
    world = World(root, spec_with(gates=IMPOSSIBLE))
    result = world.run(ENTRY, day(12))
    assert computed(result, ENTRY[0]) == [day(12)]
    entry = world.stages().registration.entry(day(12))
    assert entry is not None
    assert (entry["version"], entry["gates_passed"]) == ("1", False)
    version = client(world).get_model_version("small", "1")
    assert version.tags["gates"] == "failed"
    assert "is above the maximum" in (version.description or "")
    assert failing_runs(world) == []


@pytest.mark.slow
def test_a_failing_model_that_replaces_a_registered_one_is_not_reported_as_registered(root):
    world = World(root, spec_with(gates=IMPOSSIBLE, training={**SMALL["training"], "rounds": 4}))
    world.run(MODELS, day(12), succeed=False)
    entry = registered_day(world.run(ENTRY, day(12)), day(12))
    assert entry is not None
    assert "version" not in entry.metadata
    assert "gates not passed" in str(entry.metadata["problem"].value)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        (
            "calibration_ratio",
            {"gates": {"calibration_ratio": {"maximum": 0.01}}},
            "calibration_ratio .* is above the maximum 0.01",
        ),
        (
            "roc_auc_slices",
            {
                "gates": {"roc_auc": {"minimum": 0, "slice_minimum": 1}},
                "evaluation": {**SMALL["evaluation"], "slices": ["card"], "slice_min_positives": 1},
            },
            r"roc_auc of card card-\d+ .* is below the minimum 1",
        ),
    ],
)
def test_gates_of_calibration_and_of_slices_keep_a_model_out_of_the_registry(root, name, changes, reason):
    import re

    world = World(root, spec_with(**changes))
    # With other slices the features have other columns.
    world.run(["features"], day(1), day(13))
    result = world.run(MODELS, day(13), succeed=False)
    evaluation = check(result, f"gate_{name}")
    assert not evaluation.passed
    assert re.search(reason, evaluation.description or "")
    assert versions(world) == {1: str(day(12))}


@pytest.mark.slow
def test_slices_with_few_positives_are_not_evaluated(root):
    evaluation = {**SMALL["evaluation"], "slices": ["card"], "slice_min_positives": 60}
    world = World(root, spec_with(gates={"roc_auc": {"minimum": 0, "slice_minimum": 1}}, evaluation=evaluation))
    world.run(["features"], day(1), day(13))
    evaluation = check(world.run(MODELS, day(13)), "gate_roc_auc_slices")
    assert (evaluation.passed, evaluation.metadata["days_evaluated"].value) == (True, 0)
    assert str(day(13)) in versions(world).values()


@pytest.mark.slow
def test_a_plan_says_that_a_gate_may_still_stop_the_registration(root):
    world = World(root, spec_with(gates=IMPOSSIBLE))
    planned_entry = planned(plan_of(world, day(13), day(13), MODELS), ENTRY[0])[day(13)]
    assert planned_entry.note == "unless a gate is not passed"
    world.run(MODELS, day(13), succeed=False)
    (kept,) = of_stage(plan_of(world, day(13), day(13), MODELS), ENTRY[0]).kept
    assert "gates not passed" in kept[1]
