"""A plan names the days that a run then makes, with the reasons, and changes nothing."""

from pathlib import Path

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.fingerprint import CHANGED_CODE, CHANGED_INPUT, CHANGED_SPEC, NEW, REMOVED
from ml_assets.pipeline.asset_names import LABEL_ASSETS, LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets.pipeline.features import stage as features
from ml_assets.pipeline.graph.stages import open_stages
from ml_assets.pipeline.planning.backfill_plan import MISSING, UNLESS_THE_SAME, plan_days
from ml_assets.pipeline.validation import stage as validation
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.features.test_label_store import correct, world_with_labels
from ml_assets_tests.pipeline.planning.plan_cases import ALL, assert_a_run_does_it, content, of_stage, plan_of, planned
from ml_assets_tests.pipeline.world import ROWS, World, computed, day, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features

SPEC = ModelSpec.model_validate(SMALL)
DAILY = list(LANDED_TO_FEATURES)


def spec_with(**changes) -> ModelSpec:
    return ModelSpec.model_validate({**SMALL, **changes})


def landed(root: Path, last: int, spec: ModelSpec = SPEC) -> World:
    world = World(root, spec)
    for number in range(1, last + 1):
        world.land(day(number), rows_of(day(number)))
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Six days from landing to features."""
    return world_with_features(tmp_path, SPEC, 6)


def reasons(plan, name: str) -> dict[int, tuple[str, ...]]:
    """Return the reasons of each planned day of a stage, by the number of the day."""
    return {(which - day(1)).days + 1: planned_day.reasons for which, planned_day in planned(plan, name).items()}


def test_an_empty_lake_stays_empty_and_every_day_is_new(tmp_path):
    world = landed(tmp_path, 3)
    plan = plan_of(world, day(1), day(3), ALL)
    assert not (tmp_path / "lake").exists()
    assert not (tmp_path / "mlflow.db").exists()
    for name in ("raw_data", "validated_data", "features", "trained_model", "evaluation", "model_registry_entry"):
        assert reasons(plan, name) == dict.fromkeys((1, 2, 3), (NEW,))
    assert "first day that has a model is 2025-01-10" in (planned(plan, "trained_model")[day(3)].note or "")


def test_nothing_is_written_whatever_there_is_to_make(world):
    changed = rows_of(day(3))
    changed.loc[0, "amount"] += 1
    world.land(day(3), changed)
    world.land(day(7), rows_of(day(7)))
    world.remove(day(5))
    wider = [*SMALL["features"], {"kind": "log1p", "columns": ["amount"]}]
    other = World(world.root, spec_with(features=wider))
    before = content(world.root)
    plan = plan_of(other, day(1), day(8), ALL)
    assert of_stage(plan, "features").to_make
    assert content(world.root) == before


def test_unchanged_days_are_not_made(world):
    plan = plan_of(world, day(1), day(6))
    assert all(
        stage.unchanged == [day(number) for number in range(1, 7)] and not stage.to_make for stage in plan.stages
    )


def test_a_rewritten_file_is_named_and_followed_to_the_features_that_see_it(world):
    changed = rows_of(day(3))
    changed.loc[0, "amount"] += 1
    world.land(day(3), changed)
    plan = plan_of(world, day(1), day(6))
    assert reasons(plan, "raw_data") == reasons(plan, "validated_data") == {3: (CHANGED_INPUT,)}
    assert reasons(plan, "features") == {3: (CHANGED_INPUT,), 4: (CHANGED_INPUT,)}
    files = planned(plan, "raw_data")[day(3)].files
    assert files is not None
    assert (files.new, files.removed, files.rewritten) == ([], [], [f"{day(3)}/rows.parquet"])
    assert planned(plan, "validated_data")[day(3)].inputs == {"raw_data": [day(3)]}
    assert planned(plan, "features")[day(4)].inputs == {"validated_data": [day(3)]}
    assert_a_run_does_it(world, plan)


def test_files_that_were_added_and_removed_are_named(world):
    world.land(day(2), rows_of(day(2), 20).assign(id=range(20)), "late.csv")
    world.land(day(3), rows_of(day(3)), "other.parquet")
    world.remove(day(3))
    plan = plan_of(world, day(1), day(6))
    second, third = (planned(plan, "raw_data")[day(number)].files for number in (2, 3))
    assert second is not None
    assert third is not None
    assert (second.new, second.removed, second.rewritten) == ([f"{day(2)}/late.csv"], [], [])
    assert (third.new, third.removed, third.rewritten) == ([f"{day(3)}/other.parquet"], [f"{day(3)}/rows.parquet"], [])
    assert_a_run_does_it(world, plan)


def test_changed_code_makes_its_days_and_the_days_that_read_them(world, monkeypatch):
    monkeypatch.setattr(validation, "code_version", lambda *modules: "edited")
    plan = plan_of(world, day(1), day(6))
    assert reasons(plan, "raw_data") == {}
    assert reasons(plan, "validated_data") == dict.fromkeys(range(1, 7), (CHANGED_CODE,))
    assert reasons(plan, "features") == dict.fromkeys(range(1, 7), (CHANGED_INPUT,))
    assert {planned_day.note for planned_day in of_stage(plan, "validated_data").to_make} == {None}
    assert {planned_day.note for planned_day in of_stage(plan, "features").to_make} == {UNLESS_THE_SAME}
    assert_a_run_does_it(world, plan)
    # All came out the same, so there is nothing left to make, and nothing behind it was made.
    assert all(not stage.to_make for stage in plan_of(world, day(1), day(6), ALL[:4]).stages)
    assert {table.version() for table in world.stages().features.tables.values()} == {1}


@pytest.mark.slow
def test_several_reasons_hold_at_once(world, monkeypatch):
    monkeypatch.setattr(features, "code_version", lambda *modules: "edited")
    world.land(day(6), rows_of(day(6), 40))
    wider = [*SMALL["features"], {"kind": "log1p", "columns": ["amount"]}]
    other = World(world.root, spec_with(features=wider))
    plan = plan_of(other, day(4), day(6))
    both = (CHANGED_CODE, CHANGED_SPEC)
    assert reasons(plan, "features") == {4: both, 5: both, 6: (*both, CHANGED_INPUT)}
    assert_a_run_does_it(other, plan)


def test_a_day_without_files_is_missing(world):
    world.land(day(8), rows_of(day(8)))
    world.remove(day(2))
    plan = plan_of(world, day(1), day(8))
    assert reasons(plan, "raw_data") == {2: (CHANGED_INPUT, MISSING), 7: (MISSING,), 8: (NEW,)}
    assert "no files have landed" in (planned(plan, "raw_data")[day(7)].note or "")
    assert_a_run_does_it(world, plan)
    assert plan_of(world, day(7), day(7)).stages[0].unchanged == [day(7)]


def test_days_whose_inputs_are_outside_the_plan_and_not_made_cannot_be_made(tmp_path):
    world = landed(tmp_path, 6)
    plan = plan_of(world, day(3), day(5), ALL)
    ((which, why),) = of_stage(plan, "features").cannot
    assert which == day(3)
    needed = "validated_data of 2025-01-02 to 2025-01-03 are needed for the features of 2025-01-03"
    assert f"{needed}, but 1 of these days has not been made" in why
    assert reasons(plan, "features") == {4: (NEW,), 5: (NEW,)}
    for name in ("trained_model", "evaluation", "model_registry_entry"):
        assert of_stage(plan, name).not_reached == [day(3), day(4), day(5)]
    assert_a_run_does_it(world, plan, ALL)


@pytest.mark.slow
def test_runs_see_the_days_that_earlier_runs_make(tmp_path):
    world = landed(tmp_path, 5, spec_with(backfill={"days_per_run": 2}))
    plan = plan_of(world, day(2), day(5))
    assert plan.runs == [[day(2), day(3)], [day(4), day(5)]]
    assert [which for which, _ in of_stage(plan, "features").cannot] == [day(2)]
    assert [plan.days_to_make(run) for run in plan.runs] == [5, 6]
    assert_a_run_does_it(world, plan)


@pytest.mark.slow
def test_an_input_that_was_made_again_before_the_plan_is_not_named(world):
    world.land(day(3), rows_of(day(3), 40))
    world.run(DAILY[:-1], day(3), day(3))
    plan = plan_of(world, day(1), day(6))
    assert reasons(plan, "features") == {3: (CHANGED_INPUT,), 4: (CHANGED_INPUT,)}
    assert (planned(plan, "features")[day(4)].inputs, planned(plan, "features")[day(4)].note) == ({}, None)
    assert_a_run_does_it(world, plan)


def test_rows_of_new_files_are_estimated_from_their_size(world):
    world.land(day(2), rows_of(day(2), 30), "more.parquet")
    world.land(day(7), rows_of(day(7)))
    plan = plan_of(world, day(1), day(7))
    second, seventh = (planned(plan, "raw_data")[day(number)] for number in (2, 7))
    sizes = [path.stat().st_size for path in (world.root / "landing" / str(day(2))).iterdir()]
    assert second.size == sum(sizes)
    for planned_day, expected in [(second, ROWS + 30), (seventh, ROWS)]:
        assert planned_day.rows is not None
        assert planned_day.rows.count == pytest.approx(expected, rel=0.5)
        assert not planned_day.rows.exact
    assert of_stage(plan, "validated_data").rows() == of_stage(plan, "raw_data").rows()
    assert of_stage(plan, "validated_data").size() is None


@pytest.mark.slow
def test_rows_of_unchanged_files_are_exact_and_of_a_first_day_unknown(world, tmp_path, monkeypatch):
    monkeypatch.setattr(validation, "code_version", lambda *modules: "edited")
    rows = of_stage(plan_of(world, day(1), day(6)), "validated_data").rows()
    assert (rows.count, rows.exact) == (6 * ROWS, True)
    rows = of_stage(plan_of(landed(tmp_path / "new", 2), day(1), day(2)), "raw_data").rows()
    assert (rows.count, rows.exact) == (None, False)


def test_stages_on_another_lake_are_refused(world):
    from ml_assets.resources.lake.planned_lake import PlannedLake

    stages = [*open_stages(SPEC, world.lake, world.landing, world.registry)]
    with pytest.raises(TypeError, match="opened on its own lake"):
        plan_days(SPEC, PlannedLake(uri=world.lake.uri), stages, [day(1)])


@pytest.mark.slow
def test_a_closed_day_with_a_refused_change_is_kept(tmp_path):
    world = landed(tmp_path, 3, spec_with(late_data={"open_for": "1d", "afterwards": "refuse"}))
    world.run(DAILY, day(1), day(3))
    world.land(day(2), rows_of(day(2)).head(5))
    stage = of_stage(plan_of(world, day(1), day(3)), "raw_data")
    assert not stage.to_make
    ((which, why),) = stage.kept
    assert which == day(2)
    assert "rewritten 2025-01-02/rows.parquet" in why


def test_a_day_that_retention_removed_is_planned_with_that_reason(world):
    table = world.stages().features.tables["features"]
    table.expire([day(4)], {})
    assert reasons(plan_of(world, day(1), day(6)), "features") == {4: (REMOVED,)}


@pytest.mark.slow
def test_a_delivery_of_labels_counts_as_a_change_of_what_reads_it(tmp_path):
    world = world_with_labels(tmp_path)
    world.run(["trained_model", "evaluation", "model_registry_entry"], day(13), day(14))
    correct(world, row_day=7, delivered=13)
    plan = plan_of(world, day(13), day(14), [*LABEL_ASSETS, *ALL])
    assert reasons(plan, "raw_labels") == reasons(plan, "validated_labels") == {13: (CHANGED_INPUT,)}
    assert reasons(plan, "raw_data") == {}
    assert reasons(plan, "trained_model") == {13: (CHANGED_INPUT,), 14: (CHANGED_INPUT,)}
    assert planned(plan, "trained_model")[day(14)].note == "unless its rows' labels come out the same"
    assert set(reasons(plan, "model_registry_entry")) == {13, 14}


@pytest.mark.slow
def test_a_newest_commit_that_vanished_whole_is_planned_and_made_again_and_nothing_behind_it(world):
    before = world.stages().validation.validated.read([day(1), day(6)])
    max((world.root / "lake" / "small" / "validated_data" / "_delta_log").glob("*.json")).unlink()
    plan = plan_of(world, day(1), day(6), DAILY)
    assert set(reasons(plan, "validated_data").values()) == {(NEW,)}
    result = world.run(DAILY, day(1), day(6))
    assert (computed(result, "raw_data"), computed(result, "features")) == ([], [])
    assert world.stages().validation.validated.read([day(1), day(6)]).equals(before)


@pytest.mark.slow
def test_days_without_a_model_are_outcomes_of_a_run_over_several_days(tmp_path):
    world = landed(tmp_path, 12)
    world.run(DAILY, day(11), day(12), succeed=False)
    plan = plan_of(world, day(11), day(12), MODEL_ASSETS)
    assert [which for which, _ in of_stage(plan, "trained_model").cannot] == [day(11), day(12)]
    assert all(not stage.failing and not stage.not_reached for stage in plan.stages)
    result = world.run(MODEL_ASSETS, day(11), day(12))
    assert result.success
    assert computed(result, "trained_model") == []
