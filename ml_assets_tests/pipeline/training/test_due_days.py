"""A model is due by an interval, a cron expression, drift or stale inputs, whatever order the days are made in."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import first_model_day
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL, MODEL_ASSETS, RELEASE_ASSETS
from ml_assets.pipeline.training.config import request_models
from ml_assets.pipeline.training.due_days import DueModels, TrainingSchedule, not_due
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.planning.plan_cases import assert_a_run_does_it, plan_of, planned
from ml_assets_tests.pipeline.world import World, again, check, computed, day, rows_of, tags_of
from ml_assets_tests.pipeline.worlds import world_with_features

FIRST = day(10)
MODELS, LIVE, TRAINED = list(MODEL_ASSETS), [*MODEL_ASSETS, *RELEASE_ASSETS], [MODEL]


def spec_with(**training) -> ModelSpec:
    return ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], **training}})


def test_by_default_a_model_is_due_every_day():
    schedule = TrainingSchedule(spec_with())
    assert first_model_day(spec_with()) == FIRST
    assert all(schedule.is_due(day(number)) for number in range(10, 40))
    assert (schedule.last_due(day(20)), schedule.next_due(day(20))) == (day(20), day(21))


def test_an_interval_counts_from_the_first_day_that_has_a_model():
    schedule = TrainingSchedule(spec_with(every="7d"))
    assert [number for number in range(10, 35) if schedule.is_due(day(number))] == [10, 17, 24, 31]
    assert (schedule.last_due(day(16)), schedule.last_due(day(17)), schedule.last_due(day(3))) == (
        FIRST,
        day(17),
        FIRST,
    )
    assert (schedule.next_due(day(16)), schedule.next_due(day(17)), schedule.next_due(day(3))) == (
        day(17),
        day(24),
        FIRST,
    )


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        # The daily runs of Mondays make the models of Sundays; 12 and 19 January 2025 are Sundays.
        ("30 2 * * 1", [10, 12, 19, 26]),
        ("0 0 * * MON", [10, 12, 19, 26]),
        ("@weekly", [10, 11, 18, 25]),
        ("0 2 1,15 * *", [10, 14, 31]),
    ],
)
def test_a_cron_expression_makes_the_day_before_each_tick_due_and_the_first_one(cron, due):
    schedule = TrainingSchedule(spec_with(every=cron))
    assert [number for number in range(10, 32) if schedule.is_due(day(number))] == due
    assert schedule.last_due(day(due[1] - 1)) == FIRST
    assert schedule.next_due(FIRST) == day(due[1])


def test_a_cron_expression_may_have_no_tick_for_years():
    schedule = TrainingSchedule(spec_with(every="0 0 29 2 *"))
    assert schedule.next_due(day(20)) == date(2028, 2, 28)


@given(st.sampled_from(["1d", "3d", "30d", "0 2 * * 1", "@monthly"]), st.integers(10, 400))
def test_the_last_and_the_next_due_day_enclose_every_day(every, number):
    schedule = TrainingSchedule(spec_with(every=every))
    last, following = schedule.last_due(day(number)), schedule.next_due(day(number))
    assert last <= day(number) < following
    assert schedule.is_due(last)
    assert schedule.is_due(following)
    between = [last + timedelta(days=back) for back in range(1, (following - last).days)]
    assert not any(schedule.is_due(other) for other in between)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world_with_features(tmp_path_factory.mktemp("world"), last=19)


@pytest.fixture
def world(original, tmp_path) -> World:
    copy = original.copy(tmp_path / "world")
    copy.spec = spec_with(every="3d")
    return copy


def with_model(world: World, last: int = 19) -> list[int]:
    training = world.stages().training
    return [number for number in range(10, last + 1) if training.row(day(number))["model_digest"]]


@pytest.mark.slow
def test_a_backfill_and_daily_runs_train_the_same_days_and_days_between_are_scored(world, tmp_path):
    backfill = world.copy(tmp_path / "backfill")
    backfill.spec = world.spec
    result = backfill.run(LIVE, day(10), day(14))
    for number in range(10, 15):
        world.run(LIVE, day(number))
    assert with_model(backfill) == with_model(world) == [10, 13]
    rows = [[w.stages().training.row(day(number)) for number in range(10, 15)] for w in (backfill, world)]
    assert rows[0] == rows[1]
    assert [move.day for move in backfill.releases().ledger.moves()] == [day(10), day(13)]
    stages = world.stages()
    assert all(stages.predictions.why_not_scored(day(number)) is None for number in range(10, 15))
    assert not_due(rows[0][1]) == f"no model is due until {day(13)}, by training.every 3d"
    assert check(result, "model_due").passed
    assert again(world.run(LIVE, day(10), day(14)), "trained_model") == []
    assert computed(backfill.run(LIVE, day(10), day(14)), "predictions") == []


def test_a_day_on_which_no_model_is_due_is_a_clean_outcome(world):
    world.run(LIVE, day(10))
    result = world.run(LIVE, day(11))
    reason = f"no model is due until {day(13)}, by training.every 3d"
    for name in ("model_due", "gate_roc_auc"):
        evaluation = check(result, name)
        assert evaluation.passed
        assert evaluation.description == f"{day(11)}: {reason}"
        (record,) = evaluation.metadata["by_day"].records
        assert (record.data["verdict"], record.data["reason"]) == ("not evaluated", reason)
    problems = [
        metadata
        for event in result.get_asset_materialization_events()
        if "problem" in (metadata := event.step_materialization_data.materialization.metadata)
    ]
    assert problems == []
    assert world.stages().registration.entry(day(11)) is None


def test_a_plan_says_on_which_days_no_model_is_due_and_makes_them_with_the_others(world):
    plan = plan_of(world, day(10), day(13), MODELS)
    notes = {name: [planned_day.note for planned_day in planned(plan, name).values()] for name in MODELS}
    reason = f"no model is due until {day(13)}, by training.every 3d"
    for name in MODELS:
        assert notes[name][1:3] == [reason, reason]
        assert reason not in (notes[name][0], notes[name][3])
    assert_a_run_does_it(world, plan, MODELS)


@pytest.mark.slow
def test_a_model_that_was_made_before_the_interval_changed_stays_until_its_inputs_change(world):
    world.spec = spec_with()
    world.run(TRAINED, day(10), day(12))
    world.spec = spec_with(every="3d")
    assert again(world.run(TRAINED, day(10), day(12)), "trained_model") == []
    assert with_model(world, 12) == [10, 11, 12]
    world.land(day(3), rows_of(day(3), 50))
    world.run(list(LANDED_TO_FEATURES), day(3), day(4))
    world.run(TRAINED, day(10), day(12))
    assert with_model(world, 12) == [10]


@pytest.mark.slow
def test_stale_inputs_make_a_model_due_before_its_time_and_it_stays(world):
    world.spec = spec_with(every="5d", when=["stale_inputs"])
    world.run(TRAINED, day(10), day(11))
    assert with_model(world, 11) == [10]
    world.land(day(3), rows_of(day(3), 50))
    world.run(list(LANDED_TO_FEATURES), day(3), day(4))
    world.run(TRAINED, day(12))
    row = world.stages().training.row(day(12))
    assert row["due"] == f"stale_inputs: 2 days of the training window of the model of {day(10)} changed"
    assert row["model_digest"]
    world.run(TRAINED, day(13))
    assert with_model(world, 13) == [10, 12]
    # A backfill makes the model of day 10 again, and the one of day 12 stays.
    world.run(TRAINED, day(10), day(13))
    assert with_model(world, 13) == [10, 12]
    assert again(world.run(TRAINED, day(10), day(13)), "trained_model") == []


def test_a_model_that_was_due_and_not_made_is_made_up_for_with_stale_inputs_only(world):
    world.run(TRAINED, day(11))
    assert with_model(world, 11) == []
    world.spec = spec_with(every="3d", when=["stale_inputs"])
    world.run(TRAINED, day(12))
    assert (
        world.stages().training.row(day(12))["due"] == f"stale_inputs: the model that was due on {day(10)} was not made"
    )
    assert with_model(world, 12) == [12]


def test_drift_makes_a_model_due_and_the_decision_is_a_function_of_the_committed_profiles(world, monkeypatch):
    from ml_assets.pipeline.features import drift_trigger

    monkeypatch.setattr(
        drift_trigger, "find_feature_drift", lambda spec, features, on: "amount drifted" if on == day(12) else None
    )
    drifting = {**SMALL, "training": {**SMALL["training"], "every": "7d", "when": ["drift"]}, "checks": {}}
    world.spec = ModelSpec.model_validate(drifting)
    stages = world.stages()
    due = stages.training.due
    assert isinstance(due, DueModels)
    decisions = {number: due.decide(day(number)) for number in range(10, 15)}
    assert [number for number, decision in decisions.items() if decision.is_due] == [10, 12]
    assert decisions[12].reason == "drift: amount drifted"
    assert decisions[13].reason == (
        f"no model is due until {day(17)}, by training.every 7d; drift does not ask for one before"
    )


def test_a_due_model_that_cannot_be_made_fails_its_check_as_a_warning(world):
    for number in range(1, 5):
        world.land(day(number), rows_of(day(number)).assign(label=0))
    world.run(list(LANDED_TO_FEATURES), day(1), day(5))
    result = world.run(TRAINED, day(10), day(11))
    evaluation = check(result, "model_due")
    assert not evaluation.passed
    assert evaluation.severity.value == "WARN"
    assert "a model was due, but" in (evaluation.description or "")


@pytest.mark.slow
def test_a_run_may_ask_for_a_model_of_a_day_on_which_none_is_due_and_it_stays(world):
    world.run(LIVE, day(10), day(11))
    (before,) = {move.day for move in world.releases().ledger.moves()}
    assert with_model(world, 11) == [10]
    result = world.materialize(MODELS, tags_of(day(11), None), request_models(world.spec))
    assert result.success
    assert check(result, "model_due").passed
    world.run(list(RELEASE_ASSETS), day(11))
    row = world.stages().training.row(day(11))
    assert row["due"] == "requested by a run"
    assert [move.day for move in world.releases().ledger.moves()] == [before, day(11)]
    assert not computed(world.run(LIVE, day(10), day(11)), MODELS[0])
    assert world.stages().training.row(day(11)) == row


@pytest.mark.slow
def test_a_requested_model_gets_searched_parameters(world):
    search = {"trials": 1, "folds": 2, "space": {"max_depth": {"low": 2, "high": 3}}}
    world.spec = spec_with(every="3d", search=search)
    names = ["parameter_search", MODEL]
    assert world.materialize(names, tags_of(day(11), None)).success
    assert with_model(world, 11) == []
    assert world.materialize(names, tags_of(day(11), None), request_models(world.spec)).success
    assert with_model(world, 11) == [11]
