"""Releases over two months of days: the model that is live at the end, and the ledger of decisions that led to it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import live_on, pause
from ml_assets_tests.pipeline.live_cases import DAYS, LiveLake, rows_with_features, spec_with
from ml_assets_tests.pipeline.world import day
from ml_assets_tests.resources.release.release_cases import move

Make = Callable[..., LiveLake]


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features of two months."""
    root = tmp_path_factory.mktemp("features")
    LiveLake(root).put_features()
    return root


@pytest.fixture
def make(features: Path, tmp_path: Path) -> Make:
    """Return a function that makes a lake with the features and its first model, registered on day 1."""

    def make_lake(spec: ModelSpec | None = None) -> LiveLake:
        shutil.copytree(features, tmp_path / "live")
        live = LiveLake(tmp_path / "live", spec)
        live.put_model("first", 1)
        return live

    return make_lake


def decide_with(live: LiveLake, models: dict[int, str]) -> None:
    """Register models on some days of two months, and decide all days in one run, as in a backfill."""
    for number, kind in models.items():
        live.put_model(kind, number)
    live.decide(1, DAYS)


def test_the_better_model_ends_as_champion_and_the_one_that_is_worse_on_live_data_is_rolled_back(make):
    live, models = make(), {5: "equal", 20: "worse", 35: "better"}
    for number in range(1, DAYS + 1):
        if number in models:
            live.put_model(models[number], number)
        live.live(number)
    assert live.story() == [
        (1, "promote", 1, None, 0),
        (5, "start", 1, 2, 20),
        (9, "advance", 1, 2, 50),
        (13, "promote", 2, None, 0),
        (20, "start", 2, 3, 20),
        (23, "rollback", 2, None, 0),
        (35, "start", 2, 4, 20),
        (39, "advance", 2, 4, 50),
        (43, "promote", 4, None, 0),
    ]
    moves = {(move.day, move.action): move for move in live.ledger.moves()}
    assert "roc_auc" in moves[day(23), "rollback"].reason
    assert "worse by more than 0.02" in moves[day(23), "rollback"].reason
    assert moves[day(23), "rollback"].metrics["roc_auc_high"] < 0
    assert moves[day(43), "promote"].metrics["roc_auc_low"] > 0
    # What the ledger tells is what the table of each day says, and what each row was scored by.
    releases = live.ledger.releases()
    for number in range(1, DAYS + 1):
        row, state, scored = live.row(number), live_on(releases, day(number)), live.scored(number)
        assert (row["release"], row["percent"]) == (state.number, state.percent)
        expected = {"champion": state.champion, "challenger": state.challenger}
        assert {side: rows["model_version"].unique().tolist() for side, rows in scored.groupby("side")} == {
            side: [version.number] for side, version in expected.items() if version
        }
        assert abs((scored["side"] == "challenger").mean() * 100 - state.percent) < 15


@pytest.mark.slow
def test_an_entity_stays_on_its_side_while_the_share_grows(make):
    live = make()
    live.put_model("equal", 5)
    live.live(1, 13)
    of_card = {
        number: live.scored(number).groupby("card")["side"].agg(["nunique", "first"]) for number in (5, 6, 9, 10)
    }
    assert all((cards["nunique"] == 1).all() for cards in of_card.values())
    sides = pd.DataFrame({number: cards["first"] for number, cards in of_card.items()}).dropna()
    assert (sides[5] == sides[6]).all()
    assert (sides[9] == sides[10]).all()
    assert (sides.loc[sides[6] == "challenger", 9] == "challenger").all()
    assert (sides[9] == "challenger").sum() > (sides[6] == "challenger").sum() > 0


@pytest.mark.slow
def test_a_newer_model_waits_for_the_canary_and_begins_when_that_one_is_decided(make):
    live = make()
    decide_with(live, {5: "equal", 7: "worse", 10: "better"})
    story = live.story()
    assert [(action, challenger) for _, action, _, challenger, _ in story] == [
        ("promote", None),
        ("start", 2),
        ("advance", 2),
        ("promote", None),
        # Of those that wait the newest is next.
        ("start", 4),
        ("advance", 4),
        ("promote", None),
    ]
    assert story[-1][2] == 4


@pytest.mark.slow
def test_a_newer_model_takes_the_place_of_the_canary_where_the_specification_says_so(make):
    live = make(spec_with({"newer_challenger": "replaces"}))
    decide_with(live, {5: "equal", 10: "better"})
    assert live.story()[1:5] == [
        (5, "start", 1, 2, 20),
        (9, "advance", 1, 2, 50),
        (10, "replace", 1, 3, 20),
        (14, "advance", 1, 3, 50),
    ]
    assert live.ledger.latest().champion == live.ledger.moves()[-1].after.champion
    assert (live.ledger.latest().champion.number, len(live.ledger.latest().withdrawn)) == (3, 1)
    assert "replaces version 2" in live.row(10)["reason"]


@pytest.mark.slow
def test_without_labels_a_canary_holds_until_its_time_is_over(make):
    live = make()
    live.put_features(range(1, 31), labels=False)
    live.put_model("equal", 5)
    live.decide(1, 30)
    assert live.story() == [(1, "promote", 1, None, 0), (5, "start", 1, 2, 20), (25, "rollback", 1, None, 0)]
    assert live.outcomes()[5:24] == ["hold"] * 19
    assert "0 of 3 days with known labels" in live.row(20)["reason"]
    assert "not decided within 20 days" in live.row(25)["reason"]


@pytest.mark.slow
def test_late_labels_delay_the_decision_and_do_not_prevent_it(make):
    live = make(spec_with({"maximum_days": "40d"}, label_delay="12d"))
    decide_with(live, {5: "better"})
    assert live.story() == [
        (1, "promote", 1, None, 0),
        (5, "start", 1, 2, 20),
        (19, "advance", 1, 2, 50),
        (33, "promote", 2, None, 0),
    ]
    assert "labels are known through 2025-01-04, and the step began on 2025-01-05" in live.row(16)["reason"]
    assert live.row(19)["labels_through"] == day(7)


@pytest.mark.slow
def test_a_canary_not_shown_to_be_as_good_holds_until_its_time_is_over(make):
    # It would have to be better by 0.01, and is equal.
    live = make(spec_with({"margin": -0.05}))
    decide_with(live, {5: "equal"})
    assert live.story()[1:] == [(5, "start", 1, 2, 20), (25, "rollback", 1, None, 0)]
    assert "not shown to be within -0.05, nor to be worse" in live.row(24)["reason"]


@pytest.mark.slow
def test_a_pause_holds_the_canary_and_its_end_lets_it_go_on(make):
    live = make()
    live.put_model("better", 5)
    for number in range(1, DAYS + 1):
        if number in (8, 40):
            before = live.ledger.latest()
            action = "pause" if number == 8 else "resume"
            live.ledger.append(before, move(action, pause(before, number == 8), day(number), "somebody"))
        live.decide(number)
    assert live.story()[1:] == [
        (5, "start", 1, 2, 20),
        (8, "pause", 1, 2, 20),
        (40, "resume", 1, 2, 20),
        (40, "advance", 1, 2, 50),
        (44, "promote", 2, None, 0),
    ]
    assert live.outcomes()[7:39] == ["hold"] * 32
    assert live.row(20)["paused"]
    assert "paused" in live.row(20)["reason"]


@pytest.mark.slow
def test_without_a_canary_every_model_that_passed_is_live_at_once(make):
    live = make(ModelSpec.model_validate({**spec_with().model_dump(mode="json"), "deployment": {}}))
    live.put_model("worse", 9, passed=False)
    decide_with(live, {5: "equal", 35: "better"})
    assert live.story() == [(1, "promote", 1, None, 0), (5, "promote", 3, None, 0), (35, "promote", 4, None, 0)]


def test_a_canary_that_decides_positive_too_often_is_rolled_back_before_its_labels_are_known(make):
    live = make(spec_with(label_delay="12d"))
    live.put_model("eager", 5)
    live.live(1, 8)
    assert live.story()[1:] in ([(5, "start", 1, 2, 20), (number, "rollback", 1, None, 0)] for number in (6, 7, 8))
    assert "it decides positive on" in live.ledger.moves()[-1].reason


@pytest.mark.slow
def test_the_comparison_uses_the_stored_predictions(make):
    live = make()
    live.put_model("better", 5)
    live.live(1, 12)
    since, through = 5, 10
    predicted = pd.concat([live.scored(number).assign(number=number) for number in range(since, 12)], ignore_index=True)
    paired, of_challenger = live.compared(12), predicted[predicted["side"] == "challenger"]
    labelled = of_challenger[of_challenger["number"] <= through]
    assert paired.loc["roc_auc", "rows"] == len(labelled)
    assert paired.loc["wrong_decisions", "value"] == pytest.approx(
        (labelled["decision"] != (labelled["label"] == 1)).mean()
    )
    # The day itself is looked at before its rows are scored.
    today = rows_with_features(day(12))
    predicted_today = live.scored(12)
    side = live.compared(12, "challenger_side")
    assert len(today) == len(predicted_today)
    assert side.loc["wrong_decisions", "rows"] == len(labelled[labelled["number"] >= 9])
    scored = pd.concat(
        [of_challenger[of_challenger["number"] >= 9], predicted_today[predicted_today["side"] == "challenger"]]
    )
    assert side.loc["mean_score", "value"] == pytest.approx(scored["score"].mean())
    champions = live.compared(12, "champion_side")
    rest = pd.concat(
        [
            predicted[(predicted["side"] == "champion") & (predicted["number"] >= 9)],
            predicted_today[predicted_today["side"] == "champion"],
        ]
    )
    assert champions.loc["mean_score", "value"] == pytest.approx(rest["score"].mean())
    assert champions.loc["positive_decisions", "value"] == pytest.approx(rest["decision"].mean())


def test_a_shadow_scores_every_row_decides_none_and_is_compared_on_all_of_them(make):
    live = make(spec_with({"steps": [0, 100]}))
    live.put_model("equal", 3)
    live.live(1, 9)
    assert live.story() == [(1, "promote", 1, None, 0), (3, "start", 1, 2, 0), (7, "promote", 2, None, 0)]
    shadow = live.scored(5)
    assert (set(shadow["side"]), set(shadow["model_version"])) == ({"champion"}, {1})
    assert shadow["shadow_score"].notna().all()
    assert live.scored(2)["shadow_score"].isna().all()
    assert live.scored(7)["shadow_score"].isna().all()
    assert live.compared(6).loc["roc_auc", "rows"] == sum(len(rows_with_features(day(number))) for number in (3, 4))


def test_a_shadow_that_is_worse_is_rolled_back_and_has_decided_nothing(make):
    live = make(spec_with({"steps": [0, 100]}))
    live.put_model("worse", 3)
    live.live(1, 9)
    _, started, (_, *rolled_back) = live.story()
    assert started == (3, "start", 1, 2, 0)
    assert rolled_back == ["rollback", 1, None, 0]
    assert "is rolled back in shadow" in live.ledger.moves()[-1].reason
    scored = pd.concat([live.scored(day_number) for day_number in range(3, 10)])
    assert set(zip(scored["side"], scored["model_version"], strict=True)) == {("champion", 1)}
