"""Each day is decided once, also when days repeat or come in another order, after a crash, beside another process that
releases, and when data have changed.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import pause, roll_back
from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.pipeline.asset_names import DEPLOYMENT, PREDICTIONS
from ml_assets.pipeline.engine.day_state import is_current
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.graph.stages import open_stages, refuse_to_release
from ml_assets.pipeline.planning.backfill_plan import plan_days
from ml_assets.pipeline.release import scorer_cache
from ml_assets.pipeline.release.deployment_stage import LATER_DAYS_DECIDED
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.planned_lake import PlannedLake
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.ledger import LedgerConflict
from ml_assets.resources.release.releases import NotCarriedOut, ReleaseRefused
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.live_cases import AMOUNT, MORE, LiveLake, spec_with
from ml_assets_tests.pipeline.world import day
from ml_assets_tests.resources.release.release_cases import move

LAST = 14


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a lake with two weeks of features, a first model and an equal one of day 3, and no decision."""
    live = LiveLake(tmp_path_factory.mktemp("original"))
    live.put_features(range(1, LAST + 1))
    live.put_model("first", 1)
    live.put_model("equal", 3)
    return live.root


def copy(original: Path, root: Path, spec: ModelSpec | None = None) -> LiveLake:
    shutil.copytree(original, root)
    live = LiveLake(root, spec)
    live.versions = 2
    return live


@pytest.fixture
def live(original: Path, tmp_path: Path) -> LiveLake:
    return copy(original, tmp_path / "live")


STORY = [(1, "promote", 1, None, 0), (3, "start", 1, 2, 20), (7, "advance", 1, 2, 50), (11, "promote", 2, None, 0)]


@pytest.mark.slow
def test_decided_days_do_not_change_when_they_are_made_again(live):
    live.live(1, LAST)
    assert live.story() == STORY
    rows = [live.row(number) for number in range(1, LAST + 1)]
    live.open()
    outcomes = live.decide(1, LAST)
    assert not any(outcome.computed or outcome.problem or outcome.metadata for outcome in outcomes)
    assert (live.story(), [live.row(number) for number in range(1, LAST + 1)]) == (STORY, rows)
    assert all(is_current(live.deployment, day(number)) for number in range(1, LAST + 1))


@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(0, LAST), max_size=3)), min_size=LAST, max_size=LAST))
def test_repeated_days_in_any_order_give_the_ledger_of_one_pass(original, tmp_path_factory, plan):
    live = copy(original, tmp_path_factory.mktemp("any") / "live")
    for number, (repeats, earlier) in enumerate(plan, start=1):
        live.decide(number)
        for _ in range(repeats):
            live.decide(number)
        for back in earlier:
            live.decide(max(1, number - back))
            live.open()
    assert live.story() == STORY


def test_predictions_stay_when_the_releases_that_made_them_are_lost(live):
    live.live(1, 2)
    before = live.scored(2)
    shutil.rmtree(live.root / "lake" / "small" / "release_ledger")
    live.open()
    [outcome] = make_days(live.predictions, [day(2)], "run-2", single_partition=True)
    assert "has no release that was live on 2025-01-02" in (outcome.problem or "")
    assert live.scored(2).equals(before)


def test_a_day_before_a_decided_one_releases_nothing(live):
    live.decide(1)
    live.decide(5)
    before = live.story()
    live.decide(2, 4)
    assert live.story() == before
    assert [(live.row(number)["outcome"], live.row(number)["reason"]) for number in (2, 3, 4)] == [
        ("none", LATER_DAYS_DECIDED)
    ] * 3
    assert live.row(4)["champion_version"] == 1
    assert live.row(4)["challenger_version"] is None


def test_a_day_without_a_release_is_committed_before_the_next_and_one_with_a_release_is_in_the_ledger(live):
    released = live.deployment.make_day(day(1), False)
    assert (released.has_side_effects, released.needs_immediate_commit) == (True, False)
    live.decide(1)
    assert [release.action for release in live.ledger.moves()] == ["promote"]
    assert live.row(1)["outcome"] == "promote"
    unchanged = live.deployment.make_day(day(2), False)
    assert (unchanged.has_side_effects, unchanged.needs_immediate_commit) == (False, True)


def test_a_release_of_a_run_that_died_is_recorded_and_not_repeated(live):
    live.decide(1, 6)

    def append_and_fail(before, release):
        live.ledger.append(before, release)
        raise NotCarriedOut("the process died")

    live.deployment._release = append_and_fail
    with pytest.raises(NotCarriedOut):
        live.decide(7)
    assert live.story() == STORY[:3]
    assert live.deployment.row(day(7)) is None
    live.open()
    live.decide(7)
    assert live.story() == STORY[:3]
    row = live.row(7)
    assert (row["outcome"], row["percent"], row["release"], row["step_since"]) == ("advance", 50, 3, day(7))
    assert row["reason"] == live.ledger.moves()[-1].reason
    assert live.compared(7).loc["roc_auc", "rows"] == row["step_rows"]
    live.decide(8, LAST)
    assert live.story() == STORY


def test_releases_of_days_that_a_dying_run_did_not_commit_do_not_change_the_inputs_of_these_days(live):
    inputs = live.deployment.inputs(day(1))
    live.deployment.make_day(day(1), False)
    promoted = live.ledger.moves()[-1]
    live.ledger.append(promoted.after, replace(promoted, action="pause", after=pause(promoted.after, True), day=day(2)))
    live.open()
    assert live.deployment.inputs(day(1)) == inputs


def test_a_release_made_at_the_same_time_is_noticed_and_the_day_is_decided_again(live):
    live.decide(1, 6)
    append = live.ledger.append

    def release_after_another(before, release):
        live.deployment._release = append
        append(before, move("rollback", roll_back(before), day(7), "somebody"))
        append(before, release)

    live.deployment._release = release_after_another
    live.decide(7)
    assert live.story() == [*STORY[:2], (7, "rollback", 1, None, 0)]
    assert (live.row(7)["outcome"], live.row(7)["release"]) == ("none", 3)


def test_a_day_that_another_run_decided_meanwhile_is_not_released_from_older_rows(live):
    live.decide(1, 6)
    measured, released = live.deployment._measure, []
    table = live.deployment.tables[DEPLOYMENT]

    def decided_meanwhile(before, which):
        released.append(len(live.ledger.moves()))
        if len(released) == 1:
            other = Lake(uri=live.lake.uri).table(live.spec.name, DEPLOYMENT, table.schema.remove(0))
            other.commit({which: table.read([day(6)])}, {which: 12345})
        return measured(before, which)

    live.deployment._measure = decided_meanwhile
    live.decide(7)
    # Looked at again before anything was released; the third time, its own release is found.
    assert released == [2, 2, 3]
    assert live.story() == STORY[:3]


def test_a_release_that_always_loses_to_another_one_is_an_error(live):
    live.decide(1, 2)

    def always_conflict(before, release):
        raise LedgerConflict("somebody released meanwhile")

    live.deployment._release = always_conflict
    with pytest.raises(Exception, match="somebody released meanwhile"):
        live.decide(3)


def test_a_version_that_cannot_be_released_is_reported_as_a_problem_of_the_day(live):
    live.decide(1, 2)

    def refuse(before, release):
        raise ReleaseRefused("version 2 is not in the registry")

    live.deployment._release = refuse
    (outcome,) = live.decide(3)
    assert "version 2 is not in the registry" in (outcome.problem or "")
    assert (live.row(3)["outcome"], live.row(3)["challenger_version"]) == ("none", None)


def test_a_manual_rollback_takes_effect_from_the_next_day_on(live):
    live.live(1, 5)
    before = live.ledger.latest()
    live.ledger.append(before, move("rollback", roll_back(before), day(6), "somebody", "customers complained"))
    live.live(5, LAST)
    assert live.story() == [*STORY[:2], (6, "rollback", 1, None, 0)]
    assert live.row(5)["challenger_version"] == 2
    assert (live.row(6)["outcome"], live.row(6)["challenger_version"]) == ("none", None)
    assert live.scored(5)["side"].nunique() == 2
    assert live.scored(6)["side"].unique().tolist() == ["champion"]


def test_the_newest_day_is_decided_again_when_its_registry_entry_comes_later(live):
    live.decide(1, 12)
    assert live.row(12)["outcome"] == "none"
    live.put_model("better", 12)
    live.decide(12)
    assert live.story()[-1] == (12, "start", 2, 3, 20)
    assert live.row(12)["outcome"] == "start"
    live.decide(12)
    assert len(live.story()) == len(STORY) + 1


def test_a_day_without_a_model_is_decided_again_when_the_newest_registry_entry_before_it_changes(live):
    live.decide(1, 13)
    live.put_model("better", 12)
    live.decide(13)
    assert live.story()[-1] == (13, "start", 2, 3, 20)
    assert is_current(live.deployment, day(13))


def test_changed_features_make_only_the_newest_day_stale(live):
    live.decide(1, 5)
    live.put_features([3], labels=False)
    assert [is_current(live.deployment, day(number)) for number in (3, 4)] == [True, True]
    live.open()
    outcomes = live.decide(3, 5)
    assert [outcome.computed for outcome in outcomes] == [False, False, True]
    assert live.row(5)["step_rows"] < 60


def test_a_challenger_whose_feature_was_removed_is_rolled_back_before_it_scores(original, tmp_path):
    live = copy(original, tmp_path / "live")
    live.put_model("better", 5)
    live.decide(1, 2)
    live.ledger.append(live.ledger.latest(), move("pause", pause(live.ledger.latest(), True), day(3), "somebody"))
    live.ledger.append(live.ledger.latest(), move("resume", pause(live.ledger.latest(), False), day(5), "somebody"))
    live.live(3, 6)
    assert live.story()[-1] == (5, "start", 1, 3, 20)
    spec = ModelSpec.model_validate(
        {**SMALL, "features": SMALL["features"][:1], "deployment": spec_with().deployment.model_dump(mode="json")}
    )
    without_feature = LiveLake(live.root, spec)
    without_feature.live(7)
    assert without_feature.story()[-1] == (7, "rollback", 1, None, 0)
    assert f"the specification no longer has the feature {MORE}" in without_feature.row(7)["reason"]
    assert without_feature.scored(7)["side"].unique().tolist() == ["champion"]


def test_a_champion_that_cannot_score_is_reported_as_a_problem(original, tmp_path):
    live = copy(original, tmp_path / "live")
    live.live(1, 4)
    champion = live.ledger.latest().champion
    assert champion is not None
    shutil.rmtree(live.root / "lake" / "small" / "models" / champion.digest)
    live.open()
    (decided,) = live.decide(5)
    assert f"{champion} cannot score the rows: the files of model {champion.digest} are not all under" in (
        decided.problem or ""
    )
    assert live.row(5)["outcome"] == "hold"
    live.live(5)
    assert live.scored(5).empty
    assert "cannot score the rows" in (live.predictions.problem(day(5)) or "")
    assert "cannot score the rows" in (live.predictions.why_not_scored(day(5)) or "")


def test_a_day_that_the_live_versions_have_not_scored_is_said(live):
    live.live(1, 4)
    assert live.predictions.why_not_scored(day(4)) is None
    live.decide(5)
    assert live.predictions.why_not_scored(day(5)) == "its predictions have not been made"
    live.live(5)
    assert live.predictions.why_not_scored(day(5)) is None
    assert live.predictions.why_not_scored(day(LAST + 1)) is None


@pytest.mark.slow
def test_missing_and_expired_features_count_as_no_rows(live):
    live.decide(1, 5)
    live.features.refresh()
    live.features.expire([day(4)], {})
    assert live.features.fingerprint(day(4)) == EXPIRED
    live.open()
    live.decide(6, LAST + 2)
    assert live.row(6)["labels_through"] == day(4)
    assert live.row(6)["step_days"] == 1
    assert live.ledger.latest().champion.number == 2


@pytest.mark.slow
def test_later_releases_leave_predictions_of_earlier_days_current(live):
    live.live(1, LAST)
    version = live.predictions.tables[PREDICTIONS].version()
    live.open()
    assert all(is_current(live.predictions, day(number)) for number in range(1, LAST + 1))
    assert live.predictions.tables[PREDICTIONS].version() == version


def test_a_day_without_a_live_model_has_no_predictions_and_says_so(original, tmp_path):
    live = copy(original, tmp_path / "live")
    live.entries.expire([day(1), day(3)], {})
    live.live(1)
    assert live.row(1)["reason"] == "no model has passed its gates yet"
    assert live.scored(1).empty
    assert live.predictions.problem(day(1)) == f"no model is live on {day(1)}"


def test_the_highest_scores_of_a_day_have_reasons(live):
    live.live(1)
    scored = live.scored(1)
    explained = scored[scored["reasons"].notna()]
    assert len(explained) == 5
    assert explained["score"].min() >= scored.loc[scored["reasons"].isna(), "score"].max()
    assert all(f'"feature": "{AMOUNT}"' in text for text in explained["reasons"])


def test_read_only_stages_release_nothing(live):
    stages = open_stages(
        live.spec, live.lake, Landing(uri=str(live.root)), ModelRegistry(tracking_uri="sqlite:////nowhere/mlflow.db")
    )
    with pytest.raises(RuntimeError, match="released by materializing the deployment"):
        refuse_to_release(live.ledger.latest(), replace(move("pause", pause(live.ledger.latest(), True)), day=day(2)))
    assert list(stages)[-2].name == DEPLOYMENT


@pytest.mark.slow
def test_a_plan_lists_the_days_to_decide_and_score_and_changes_nothing(live):
    live.live(1, 6)
    lake = PlannedLake(uri=live.lake.uri)
    stages = open_stages(
        live.spec, lake, Landing(uri=str(live.root)), ModelRegistry(tracking_uri="sqlite:////nowhere/mlflow.db")
    )
    plan = plan_days(live.spec, lake, stages.release_stages(), [day(number) for number in range(1, 9)])
    for stage in plan.stages:
        assert (stage.unchanged, [planned_day.day for planned_day in stage.to_make]) == (
            [day(number) for number in range(1, 7)],
            [day(7), day(8)],
        )
    assert live.story() == STORY[:2]
    assert live.deployment.row(day(7)) is None


def test_a_version_that_has_scored_a_day_is_checked_without_xgboost(original, tmp_path, monkeypatch):
    live = copy(original, tmp_path / "live")
    live.live(1, 5)
    champion = live.ledger.latest().champion
    assert champion is not None
    monkeypatch.setattr(scorer_cache, "read_scorer", lambda *_: pytest.fail("the booster was read"))
    live.open()
    assert live.predictions.why_not_scored(day(5)) is None
    files = live.root / "lake" / "small" / "models" / champion.digest
    (files / "preprocessing.json").write_bytes((files / "preprocessing.json").read_bytes() + b" ")
    live.open()
    assert f"{champion} cannot score the rows" in (live.predictions.why_not_scored(day(5)) or "")
