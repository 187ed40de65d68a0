"""No model is made of a day whose data fail a blocking check: alone, in a range, or asked for by itself, until it is
repaired or accepted.
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
    """All days but the last are made; of the last ten times the rows have landed."""
    world = World(tmp_path_factory.mktemp("good"), specification())
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number), ROWS * (10 if number == LAST else 1)))
    world.run(DATA, day(1), day(LAST - 1))
    return world


@pytest.fixture
def world(good, tmp_path: Path) -> World:
    return good.copy(tmp_path)


def models(world: World) -> list[int]:
    return sorted((of - day(1)).days + 1 for of in world.stages().training.tables["trained_model"].row_counts())


def steps(result) -> set[str]:
    return {event.step_key.removeprefix("small__") for event in result.all_events if event.is_step_start}


def test_in_a_run_of_the_day_training_does_not_start(world):
    result = world.run([*DATA, *MODELS], day(LAST), succeed=False)
    assert not check(result, "row_count").passed
    assert steps(result) == {"raw_data", "validated_data"}


@pytest.mark.slow
def test_in_a_range_the_models_of_the_other_days_are_made_and_registered(world):
    result = world.run([*DATA, *MODELS], day(LAST - 2), day(LAST))
    assert [
        found.severity.value for found in result.get_asset_check_evaluations() if found.check_name == "row_count"
    ] == ["ERROR"]
    assert (
        computed(result, "trained_model") == computed(result, "model_registry_entry") == [day(LAST - 2), day(LAST - 1)]
    )
    assert models(world) == [LAST - 2, LAST - 1]


@pytest.mark.slow
def test_asked_for_by_itself_the_model_is_not_made_and_says_why(world):
    world.run(DATA, day(LAST - 1), day(LAST))
    result = world.run(MODELS, day(LAST))
    assert models(world) == []
    materializations = [
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    ]
    (problem,) = [
        one.metadata["problem"].value for one in materializations if one.asset_key.path[-1] == "trained_model"
    ]
    assert "row_count: 600 rows" in problem
    assert "accept it in checks.accepted" in problem
    assert world.stages().training.row(day(LAST))["model_digest"] is None


def test_a_blocked_day_counts_as_it_has_to_stay_and_the_plan_names_it(world):
    world.run(DATA, day(LAST - 1), day(LAST))
    assert is_current(world.stages().training, day(LAST))
    plan = planned(world)
    assert [of for of, _ in plan["trained_model"].kept] == [day(LAST)]


def test_a_plan_of_data_and_model_says_that_a_check_may_block_it(world):
    assert [one.note for one in planned(world)["trained_model"].to_make] == [UNLESS_BLOCKED]


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
def test_a_model_that_was_made_before_stays(world):
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
    single_partition = strict.run(["model_registry_entry"], day(LAST))
    assert computed(single_partition, "model_registry_entry") == []


@pytest.mark.slow
def test_checks_that_do_not_block_hold_nothing(world):
    flagged = World(world.root, ModelSpec.model_validate(CHECKED))
    result = flagged.run([*DATA, *MODELS], day(LAST))
    assert not check(result, "row_count").passed
    assert computed(result, "trained_model") == [day(LAST)]
