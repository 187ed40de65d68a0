"""The days of a plan are those that the next runs compute, whatever has changed."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.fingerprint import CHANGED_INPUT, CHANGED_SPEC, NEW
from ml_assets.pipeline.asset_names import MODEL_ASSETS
from ml_assets.pipeline.evaluation import stage as evaluation
from ml_assets.pipeline.features import stage as features
from ml_assets.pipeline.ingestion import stage as ingestion
from ml_assets.pipeline.planning.backfill_plan import MISSING, Plan
from ml_assets.pipeline.validation import stage as validation
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.planning.plan_cases import ALL, assert_a_run_does_it, content, of_stage, plan_of, planned
from ml_assets_tests.pipeline.world import World, day, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features

LAST = 7
NUMBERS = st.integers(1, LAST)
FILES = st.sampled_from(["rows.parquet", "late.parquet"])
CHANGES = st.one_of(
    st.tuples(st.just("land"), NUMBERS, FILES, st.integers(5, 9)),
    st.tuples(st.just("remove"), NUMBERS, FILES),
    st.tuples(
        st.just("spec"),
        st.sampled_from([("quality", {"min_rows": 1}), ("label_delay", "3d"), ("backfill", {"days_per_run": 3})]),
    ),
    st.tuples(st.just("code"), st.sampled_from([ingestion, validation, features]), st.sampled_from(["v1", "v2"])),
)
STEPS = st.lists(st.tuples(st.lists(CHANGES, max_size=3), NUMBERS, NUMBERS), min_size=2, max_size=4)


def apply_change(world: World, patch: pytest.MonkeyPatch, kind: str, *details: Any) -> World:
    """Return the world after one change."""
    if kind == "land":
        number, name, count = details
        world.land(day(number), rows_of(day(number), count).assign(id=range(count)), name)
    elif kind == "remove":
        (world.root / "landing" / str(day(details[0])) / details[1]).unlink(missing_ok=True)
    elif kind == "spec":
        world = World(
            world.root, ModelSpec.model_validate({**world.spec.model_dump(mode="json"), details[0][0]: details[0][1]})
        )
    else:
        module, code = details
        patch.setattr(module, "code_version", lambda *modules: code)
    return world


@pytest.mark.slow
@settings(max_examples=4)
@given(STEPS)
def test_runs_compute_what_was_planned(steps):
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        world = World(Path(folder), ModelSpec.model_validate(SMALL))
        for number in range(1, LAST):
            world.land(day(number), rows_of(day(number), 8))
        for changes, first, second in steps:
            for change in changes:
                world = apply_change(world, patch, *change)
            before = content(world.root)
            plan = plan_of(world, day(min(first, second)), day(max(first, second)))
            assert content(world.root) == before
            assert_a_run_does_it(world, plan)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """13 days from landing to features; a model of days 11 and 12."""
    root = tmp_path_factory.mktemp("world")
    world = world_with_features(root)
    world.run(list(MODEL_ASSETS), day(11), day(12))
    return world


def reasons(plan: Plan) -> dict[str, dict[int, tuple[str, ...]]]:
    """Return the reasons of each planned day, by stage and number of the day."""
    return {
        stage.name: {(planned_day.day - day(1)).days + 1: planned_day.reasons for planned_day in stage.to_make}
        for stage in plan.stages
        if stage.to_make
    }


@pytest.mark.slow
def test_models_are_planned_for_the_data_that_they_read(world):
    changed = rows_of(day(10))
    changed.loc[0, "amount"] += 1
    world.land(day(10), changed)
    before = content(world.root)
    plan = plan_of(world, day(10), day(13), ALL)
    assert content(world.root) == before
    assert_a_run_does_it(world, plan, ALL)
    by_stage = reasons(plan)
    # Feature days 10 and 11 read it; the holdout of day 11 is 8 and 9, that of day 12 is 9 and 10, and no
    # training window is that late.
    assert by_stage["features"] == {10: (CHANGED_INPUT,), 11: (CHANGED_INPUT,)}
    assert by_stage["trained_model"] == {10: (NEW,), 13: (NEW,)}
    assert (
        by_stage["evaluation"]
        == by_stage["model_registry_entry"]
        == {**by_stage["trained_model"], 12: (CHANGED_INPUT,)}
    )


def test_a_changed_gate_plans_registration_and_changed_rounds_plan_training(world):
    stricter = World(world.root, ModelSpec.model_validate({**SMALL, "gates": {"roc_auc": {"minimum": 0.6}}}))
    assert reasons(plan_of(stricter, day(12), day(12), MODEL_ASSETS)) == {"model_registry_entry": {12: (CHANGED_SPEC,)}}
    rounds = World(world.root, ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], "rounds": 6}}))
    by_stage = reasons(plan_of(rounds, day(12), day(12), MODEL_ASSETS))
    assert by_stage == {
        "trained_model": {12: (CHANGED_SPEC,)},
        "evaluation": {12: (CHANGED_INPUT,)},
        "model_registry_entry": {12: (CHANGED_INPUT,)},
    }


def test_rows_of_a_model_are_those_of_the_feature_days_that_it_reads(world, monkeypatch):
    monkeypatch.setattr(evaluation, "code_version", lambda *modules: "edited")
    plan = plan_of(world, day(12), day(12), ALL)
    rows = of_stage(plan, "evaluation").rows()
    assert rows is not None
    # Two days of holdout.
    assert (rows.count, rows.exact) == (120, True)
    assert of_stage(plan, "model_registry_entry").rows() is None


def test_a_version_that_mlflow_lost_is_missing(world, tmp_path):
    entry = world.stages().registration.entry(day(12))
    assert entry is not None
    lost = World(world.root, world.spec, store=tmp_path)
    planned_day = planned(plan_of(lost, day(12), day(12), ALL), "model_registry_entry")[day(12)]
    assert (planned_day.reasons, planned_day.note) == ((MISSING,), f"MLflow no longer has version {entry['version']}")
    assert not (tmp_path / "mlflow.db").exists()
