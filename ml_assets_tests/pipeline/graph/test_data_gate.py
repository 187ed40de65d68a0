"""No model is made of a day whose data fail a blocking check, until the day is repaired or accepted.

This holds for a run of the day, for a range, and for a run of the model only.
"""

from pathlib import Path

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets.pipeline.engine.day_state import is_current
from ml_assets.pipeline.graph.stages import open_stages
from ml_assets.pipeline.planning.backfill_plan import UNLESS_BLOCKED, plan_days
from ml_assets.resources.lake.planned_lake import PlannedLake
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import ROWS, World, check, computed, day, rows_of

DATA, MODELS = list(LANDED_TO_FEATURES), list(MODEL_ASSETS)
LAST = 14
SPEC = {**CHECKED, "checks": {"row_count": {"blocking": True}}}


def specification(**checks: object) -> ModelSpec:
    return ModelSpec.model_validate({**SPEC, "checks": {**SPEC["checks"], **checks}})


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make all days but the last one, for which ten times as many rows have landed."""
    world = World(tmp_path_factory.mktemp("good"), specification())
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number), ROWS * (10 if number == LAST else 1)))
    world.run(DATA, day(1), day(LAST - 1))
    return world


@pytest.fixture
def world(good, tmp_path: Path) -> World:
    return good.copy(tmp_path)


def models(world: World) -> list[int]:
    return sorted(
        (model_day - day(1)).days + 1 for model_day in world.stages().training.tables["trained_model"].row_counts()
    )


def steps(result) -> set[str]:
    return {event.step_key.removeprefix("small__") for event in result.all_events if event.is_step_start}


def test_training_does_not_start_in_a_run_of_the_blocked_day(world):
    result = world.run([*DATA, *MODELS], day(LAST), succeed=False)
    assert not check(result, "row_count").passed
    assert steps(result) == {"raw_data", "validated_data"}


@pytest.mark.slow
def test_a_range_makes_and_registers_the_models_of_the_other_days(world):
    result = world.run([*DATA, *MODELS], day(LAST - 2), day(LAST))
    assert [
        evaluation.severity.value
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.check_name == "row_count"
    ] == ["ERROR"]
    assert (
        computed(result, "trained_model") == computed(result, "model_registry_entry") == [day(LAST - 2), day(LAST - 1)]
    )
    assert models(world) == [LAST - 2, LAST - 1]


@pytest.mark.slow
def test_a_run_of_only_the_model_of_a_blocked_day_makes_nothing_and_says_why(world):
    world.run(DATA, day(LAST - 1), day(LAST))
    result = world.run(MODELS, day(LAST))
    assert models(world) == []
    materializations = [
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    ]
    (problem,) = [
        materialization.metadata["problem"].value
        for materialization in materializations
        if materialization.asset_key.path[-1] == "trained_model"
    ]
    assert "row_count: 600 rows" in problem
    assert "accept it in checks.accepted" in problem
    assert world.stages().training.row(day(LAST))["model_digest"] is None


@pytest.mark.slow
def test_a_blocked_day_is_current_and_the_plan_keeps_it(world):
    world.run(DATA, day(LAST - 1), day(LAST))
    assert is_current(world.stages().training, day(LAST))
    plan = planned(world)
    assert [kept_day for kept_day, _ in plan["trained_model"].kept] == [day(LAST)]


def test_a_plan_of_data_and_model_says_that_a_check_may_block_the_model(world):
    assert [planned_day.note for planned_day in planned(world)["trained_model"].to_make] == [UNLESS_BLOCKED]


def planned(world: World):
    lake = PlannedLake(uri=world.lake.uri)
    stages = [*open_stages(world.spec, lake, world.landing, world.registry)]
    return {stage.name: stage for stage in plan_days(world.spec, lake, stages, [day(LAST)]).stages}


def test_the_model_is_made_once_the_day_is_accepted(world):
    world.run(DATA, day(LAST - 1), day(LAST))
    accepted = World(world.root, specification(accepted={str(day(LAST)): ["row_count"]}))
    assert computed(accepted.run([*DATA, *MODELS], day(LAST)), "trained_model") == [day(LAST)]


@pytest.mark.slow
def test_the_model_is_made_once_the_day_is_repaired(world):
    world.run(DATA, day(LAST - 1), day(LAST))
    world.land(day(LAST), rows_of(day(LAST)))
    assert computed(world.run([*DATA, *MODELS], day(LAST)), "trained_model") == [day(LAST)]


@pytest.mark.slow
def test_a_model_made_before_its_day_was_blocked_is_kept(world):
    early = World(world.root, specification(accepted={str(day(LAST)): ["all"]}))
    early.run([*DATA, *MODELS], day(LAST))
    before = world.stages().training.row(day(LAST))
    result = world.run(MODELS, day(LAST))
    assert computed(result, "trained_model") == []
    assert world.stages().training.row(day(LAST)) == before


@pytest.mark.slow
def test_a_blocking_check_of_the_evaluation_keeps_the_model_out_of_the_registry(world):
    checks = {"row_count": None, "score_drift": {"blocking": True, "severity": "error"}}
    spec = {**SPEC, "training": {**CHECKED["training"], "window": "5d"}, "checks": checks}
    strict = World(world.root, ModelSpec.model_validate(spec))
    in_holdout = rows_of(day(12), 400)
    strict.land(day(12), in_holdout.assign(amount=in_holdout["amount"] * 4))
    strict.run(DATA, day(12), day(LAST))
    result = strict.run(MODELS, day(LAST), succeed=False)
    assert not check(result, "score_drift").passed
    assert "model_registry_entry" not in steps(result)
    entry_only = strict.run(["model_registry_entry"], day(LAST))
    assert computed(entry_only, "model_registry_entry") == []


@pytest.mark.slow
def test_a_failed_check_that_does_not_block_stops_nothing(world):
    flagged = World(world.root, ModelSpec.model_validate(CHECKED))
    result = flagged.run([*DATA, *MODELS], day(LAST))
    assert not check(result, "row_count").passed
    assert computed(result, "trained_model") == [day(LAST)]
