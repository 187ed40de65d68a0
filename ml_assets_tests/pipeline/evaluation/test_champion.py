"""A model has to be as good as the champion on the same rows.

A model that cannot be compared passes, and a new champion makes no day again.
"""

import shutil
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from ml_assets.core.metrics.paired_comparison import COMPARED_METRICS
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import CHAMPION_COMPARISON, LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.planning.plan_cases import assert_a_run_does_it, of_stage, plan_of
from ml_assets_tests.pipeline.release.test_registration_gates import failing_runs, versions
from ml_assets_tests.pipeline.world import World, check, computed, day, rows_of
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store

MODELS = list(MODEL_ASSETS)
LAST = 13
WORSE = {**SMALL["training"], "parameters": {"eta": 0.001, "max_depth": 1, "min_child_weight": 1000}}
UNREACHABLE_REGISTRY = ModelRegistry(tracking_uri="http://127.0.0.1:1")


def spec_with(margin: float = 0.3, **changes) -> ModelSpec:
    return ModelSpec.model_validate(
        {**SMALL, "champion": {"margin": margin}, "gates": {"roc_auc": {"minimum": 0.2}}, **changes}
    )


def same_rows(number: int) -> pd.DataFrame:
    """Return the rows of day 1 on another day, so that models of all days are trained on the same rows."""
    rows = rows_of(day(1))
    return rows.assign(id=rows["id"] + number * 1000, event_time=rows["event_time"] + pd.Timedelta(days=number - 1))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with 13 days from landing to features, and the model of day 11 as the champion."""
    root = tmp_path_factory.mktemp("original")
    new_store(root)
    world = World(root, spec_with())
    for number in range(1, LAST + 1):
        world.land(day(number), same_rows(number))
    world.run(list(LANDED_TO_FEATURES), day(1), day(LAST))
    evaluation = check(world.run(MODELS, day(11)), "gate_champion")
    assert (evaluation.passed, evaluation.metadata["days_evaluated"].value) == (True, 0)
    assert "not compared: there is no champion yet" in (evaluation.description or "")
    world.promote(1)
    return world


@pytest.fixture
def root(original: World, tmp_path: Path) -> Path:
    """The root of a copy of the world, which a test may change."""
    return original.copy(tmp_path / "world").root


def compared(world: World, number: int) -> pd.DataFrame:
    return world.stages().evaluation.tables[CHAMPION_COMPARISON].read([day(number)]).to_pandas().set_index("metric")


def note(world: World, number: int) -> str:
    """Return why the model of a day was not compared."""
    (reason,) = compared(world, number)["note"].unique()
    return reason or ""


def test_a_worse_model_on_the_same_rows_is_not_registered(root):
    world = World(root, spec_with(training=WORSE))
    result = world.run(MODELS, day(12), succeed=False)
    evaluation = check(result, "gate_champion")
    assert not evaluation.passed
    assert f"of the champion, version 1 of {day(11)}" in (evaluation.description or "")
    assert "reaches below -0.3" in (evaluation.description or "")
    assert check(result, "gate_roc_auc").passed
    assert versions(world) == {1: str(day(11))}
    assert "of the champion, version 1" in failing_runs(world)[0].data.tags["gate_champion"]
    rows = compared(world, 12)
    assert rows.index.tolist() == list(COMPARED_METRICS)
    assert (
        rows.loc["roc_auc", "champion_value"]
        == world.stages().evaluation.overall(day(11)).set_index("metric").loc["roc_auc", "value"]
    )
    assert rows.loc["average_precision", "high"] < 0
    assert (rows["rows"] == 120).all()


@pytest.mark.slow
def test_a_model_that_may_be_as_good_is_not_registered_and_the_run_goes_on_to_the_release(root):
    world = World(root, spec_with(margin=0, training={**SMALL["training"], "rounds": 8}))
    result = world.run([*MODELS, "deployment", "predictions"], day(12))
    evaluation = check(result, "gate_champion")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    low, high = compared(world, 12).loc["average_precision", ["low", "high"]]
    assert low < 0 <= high
    assert versions(world) == {1: str(day(11))}
    assert world.stages().predictions.scored(day(12))["model_version"].unique().tolist() == [1]


@pytest.mark.slow
def test_an_equal_model_passes_without_any_margin(root):
    # The same scores with another threshold make another model.
    world = World(
        root, spec_with(margin=0, training={**SMALL["training"], "threshold": {"rule": "fixed", "value": 0.4}})
    )
    evaluation = check(world.run(MODELS, day(12)), "gate_champion")
    assert (evaluation.passed, evaluation.metadata["days_evaluated"].value) == (True, 1)
    rows = compared(world, 12)
    assert (rows.loc["average_precision", ["difference", "low", "high"]] == 0).all()
    assert rows["champion_digest"].unique().tolist() == [world.stages().training.row(day(11))["model_digest"]]
    assert set(versions(world)) == {1, 2}


def other_spec(**changes) -> ModelSpec:
    """Return a specification whose models differ from the champion and pass."""
    return spec_with(margin=1, training={**SMALL["training"], "rounds": 8}, **changes)


@pytest.mark.slow
def test_a_new_champion_makes_no_day_again_and_is_not_read(root):
    world = World(root, other_spec())
    world.run(MODELS, day(12))
    world.promote(2)
    before = world.commits()
    plan = plan_of(world, day(12), day(12), MODELS)
    assert not any(stage.to_make for stage in plan.stages)
    result = world.run(MODELS, day(12))
    assert [computed(result, name) for name in MODELS] == [[], [], []]
    assert check(result, "gate_champion").passed
    world.registry = UNREACHABLE_REGISTRY
    world.run(["evaluation"], day(12))
    assert world.commits() == before
    assert compared(world, 12)["champion_version"].unique().tolist() == [1]


@pytest.mark.slow
def test_a_day_that_is_made_again_is_compared_with_the_current_champion(root):
    world = World(root, other_spec())
    world.run(MODELS, day(12))
    world.promote(2)
    again = World(root, other_spec(evaluation={**SMALL["evaluation"], "bootstrap_samples": 21}))
    assert computed(again.run(MODELS, day(12)), "evaluation") == [day(12)]
    assert note(again, 12) == "the champion, version 2, is this model"


@pytest.mark.slow
def test_a_day_before_that_of_the_champion_is_not_compared_with_it(root):
    world = World(root, other_spec())
    evaluation = check(world.run(MODELS, day(10)), "gate_champion")
    assert (evaluation.passed, evaluation.metadata["days_evaluated"].value) == (True, 0)
    assert f"is of {day(11)}, not of a day before {day(10)}" in note(world, 10)
    assert str(day(10)) in versions(world).values()


@pytest.mark.slow
def test_a_champion_whose_files_are_gone_fails_the_gate_until_they_are_back(root):
    world = World(root, other_spec())
    digest = world.stages().training.row(day(11))["model_digest"]
    files = root / "lake" / "small" / "models" / digest
    shutil.move(files, root / "elsewhere")
    failed = check(world.run(MODELS, day(12), succeed=False), "gate_champion")
    assert not failed.passed
    assert "`ml-assets restore small` copies them" in (failed.description or "")
    shutil.move(root / "elsewhere", files)
    passed = check(world.run(MODELS, day(12)), "gate_champion")
    assert (passed.passed, passed.metadata["days_evaluated"].value) == (True, 1)


@pytest.mark.slow
def test_the_champion_of_the_ledger_is_compared_after_its_version_was_deleted_in_mlflow(root):
    world = World(root, other_spec())
    digest = world.stages().training.row(day(11))["model_digest"]
    world.registry.client.delete_model_version("small", "1")
    evaluation = check(world.run(MODELS, day(12)), "gate_champion")
    assert (evaluation.passed, evaluation.metadata["days_evaluated"].value) == (True, 1)
    assert f"version 1 of {day(11)}, which is no longer in MLflow: `ml-assets restore small`" in (
        evaluation.description or ""
    )
    assert compared(world, 12)["champion_digest"].unique().tolist() == [digest]


@pytest.mark.slow
def test_a_champion_with_features_that_no_longer_exist_fails_the_gate_which_says_how_to_go_on(root):
    world = World(root, other_spec(features=[{"kind": "column", "columns": ["amount"]}]))
    world.run(["features"], day(1), day(LAST))
    evaluation = check(world.run(MODELS, day(12), succeed=False), "gate_champion")
    assert not evaluation.passed
    assert "add it to the specification again, or set `champion: null`" in (evaluation.description or "")
    assert "there is no longer a feature count_by_card_1d, amount_mean_by_card_1d" in note(world, 12)


@pytest.mark.slow
def test_without_the_gate_the_registry_is_not_read_and_nothing_is_compared(root):
    world = World(root, spec_with(champion=None))
    world.registry = UNREACHABLE_REGISTRY
    result = world.run(["trained_model", "evaluation"], day(12))
    assert "gate_champion" not in {evaluation.check_name for evaluation in result.get_asset_check_evaluations()}
    assert compared(world, 12).empty


@pytest.mark.slow
def test_a_day_without_a_model_is_evaluated_once_whatever_the_champion(root):
    world = World(root, other_spec())
    world.run(MODELS, day(7), day(8))
    world.run(MODELS, day(12))
    assert computed(world.run(MODELS, day(7), day(8)), "evaluation") == []


@pytest.mark.slow
def test_plans_agree_with_runs_when_the_champion_changes(root):
    world = World(root, other_spec())
    for _ in range(2):
        plan = plan_of(world, day(12), day(13), MODELS)
        assert_a_run_does_it(world, plan, MODELS)
    assert not any(stage.to_make for stage in plan.stages)
    assert of_stage(plan, "evaluation").unchanged == [day(12), day(13)]
