"""Every outcome of a canary is decided once."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ml_assets.core.metrics.paired_proportions import PairedEstimate
from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.release.canary_evidence import Evidence, figures_of
from ml_assets.core.release.canary_policy import decide, next_candidate
from ml_assets.core.release.release_state import Release, Version, pause, promote, roll_back, start

DAY = date(2025, 3, 20)
CANARY = Canary.model_validate(
    {"steps": [5, 25, 100], "minimum_rows": 100, "metric": "roc_auc", "margin": 0.02, "maximum_days": "20d"}
)
FIRST, SECOND, THIRD = (Version(number, f"digest-{number}", date(2025, 3, number)) for number in (1, 2, 3))
LIVE = promote(Release(), FIRST)
ON_CANARY = start(LIVE, SECOND, 5, date(2025, 3, 10))
NAN = float("nan")


def _evidence(difference=0.0, half=0.01, errors=(0.0, -0.01, 0.01), decisions=(1.0, 0.9, 1.1), **changes):
    compared = PairedEstimate(0.9 + difference, 0.9, difference, difference - half, difference + half)
    enough = Evidence(
        3,
        100,
        10,
        {"roc_auc": compared},
        PairedEstimate(0.1, 0.1, *errors),
        PairedEstimate(0.1, 0.1, *decisions),
        DAY - timedelta(days=2),
    )
    return replace(enough, **changes)


def _decide(evidence, state=ON_CANARY, candidate=None, canary=CANARY, day=DAY):
    return decide(canary, state, candidate, evidence, day)


def test_the_first_model_is_champion_at_once():
    result = _decide(None, Release(), FIRST)
    assert (result.outcome, result.after.champion) == ("promote", FIRST)


def test_a_second_model_begins_at_the_first_step():
    result = _decide(None, LIVE, SECOND)
    assert (result.outcome, result.after.challenger, result.after.percent, result.after.step_since) == (
        "start",
        SECOND,
        5,
        DAY,
    )


def test_without_a_canary_a_second_model_is_champion_at_once():
    result = _decide(None, LIVE, SECOND, canary=None)
    assert (result.outcome, result.after.champion, result.after.previous) == ("promote", SECOND, FIRST)


def test_nothing_is_done_without_a_newer_model():
    assert _decide(None, LIVE).outcome == "none"


def test_a_canary_that_is_as_good_advances_step_by_step_to_champion():
    result = _decide(_evidence())
    assert (result.outcome, result.after.percent) == ("advance", 25)
    result = _decide(_evidence(), result.after, day=DAY + timedelta(days=9))
    assert (result.outcome, result.after.champion, result.after.challenger) == ("promote", SECOND, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"step_days": 0, "labels_through": date(2025, 3, 9)},
            "labels are known through 2025-03-09, and the step began on 2025-03-10",
        ),
        ({"step_days": 2}, "2 of 3 days"),
        ({"step_rows": 99}, "99 of 100 labelled rows"),
        ({"positives": 9}, "9 of 10 positives"),
        ({"metrics": {"roc_auc": PairedEstimate(NAN, NAN, NAN, NAN, NAN)}}, "undefined"),
        ({"metrics": {"roc_auc": PairedEstimate(0.8, 0.9, -0.1, -0.3, 0.1)}}, "not shown"),
    ],
)
def test_a_canary_with_too_little_evidence_holds(changes, reason):
    result = _decide(_evidence(**changes))
    assert (result.outcome, result.after) == ("hold", ON_CANARY)
    assert reason in result.reason


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (_evidence(-0.1, 0.05), "worse by more than 0.02"),
        (_evidence(errors=(0.05, 0.02, 0.08)), "decisions are wrong"),
        (_evidence(decisions=(5.0, 3.5, 7.0), step_days=0, step_rows=0, positives=0), "decides positive"),
        (_evidence(decisions=(0.1, 0.05, 0.2), step_days=0), "decides positive"),
        (_evidence(problem="there is no longer a feature x"), "no longer a feature x"),
    ],
)
def test_a_canary_that_is_worse_is_rolled_back(evidence, reason):
    result = _decide(evidence)
    assert (result.outcome, result.after.champion, result.after.challenger, result.after.withdrawn) == (
        "rollback",
        FIRST,
        None,
        {SECOND.digest},
    )
    assert reason in result.reason


def test_a_canary_that_is_worse_by_less_than_the_margin_advances():
    assert _decide(_evidence(-0.015, 0.005)).outcome == "advance"


def test_a_negative_margin_demands_that_the_canary_is_better():
    demanding = CANARY.model_copy(update={"margin": -0.05})
    assert _decide(_evidence(0.04), canary=demanding).outcome == "hold"
    assert _decide(_evidence(0.06), canary=demanding).outcome == "advance"


def test_few_positives_prove_nothing_against_a_canary():
    assert _decide(_evidence(-0.1, 0.05, positives=9)).outcome == "hold"


def test_a_step_without_a_decision_for_too_long_is_rolled_back():
    unclear = _evidence(step_rows=99)
    assert _decide(unclear, day=date(2025, 3, 29)).outcome == "hold"
    result = _decide(unclear, day=date(2025, 3, 30))
    assert (result.outcome, result.after.withdrawn) == ("rollback", {SECOND.digest})
    assert "not decided within 20 days" in result.reason


def test_a_newer_model_waits_or_replaces_as_the_specification_says():
    assert _decide(_evidence(step_days=1), candidate=THIRD).outcome == "hold"
    replacing = CANARY.model_copy(update={"newer_challenger": "replaces"})
    result = _decide(_evidence(step_days=1), candidate=THIRD, canary=replacing)
    assert (result.outcome, result.after.challenger, result.after.percent, result.after.withdrawn) == (
        "replace",
        THIRD,
        5,
        {SECOND.digest},
    )


def test_nothing_moves_while_paused():
    assert _decide(_evidence(-0.3, 0.01), pause(ON_CANARY, True)).outcome == "hold"
    assert _decide(None, pause(LIVE, True), SECOND).outcome == "none"


def test_a_canary_is_withdrawn_when_the_specification_no_longer_has_one():
    assert _decide(None, canary=None).outcome == "rollback"


@pytest.mark.parametrize("evidence", [_evidence(), _evidence(-0.3, 0.01), _evidence(step_days=0)])
def test_a_decision_is_not_repeated_on_the_same_day(evidence):
    after = _decide(evidence).after
    of_new_step = replace(evidence, step_days=0, step_rows=0) if after.challenger and after != ON_CANARY else evidence
    again = _decide(of_new_step, after)
    assert again.outcome in ("hold", "none")
    assert again.after == after


def test_the_next_candidate_is_the_newest_later_version_that_was_never_withdrawn():
    assert next_candidate(LIVE, [FIRST, SECOND, THIRD]) == THIRD
    assert next_candidate(ON_CANARY, [FIRST, SECOND]) is None
    assert next_candidate(roll_back(ON_CANARY), [FIRST, SECOND]) is None
    assert next_candidate(Release(), []) is None


def test_undefined_metrics_are_left_out():
    figures = figures_of(CANARY, _evidence(errors=(NAN, NAN, NAN)))
    assert figures["roc_auc_difference"] == 0
    assert "wrong_decisions_difference" not in figures


@pytest.mark.parametrize("steps", [[], [5, 25], [25, 5, 100], [5, 5, 100]])
def test_steps_that_do_not_grow_to_all_are_refused(steps):
    with pytest.raises(ValueError, match="must grow"):
        Canary.model_validate({"steps": steps})


@pytest.mark.parametrize("steps", [[-1, 100], [50, 100, 150]])
def test_steps_that_are_no_share_in_percent_are_refused(steps):
    with pytest.raises(ValueError, match=r"steps\.\d\n.*than or equal to"):
        Canary.model_validate({"steps": steps})


SHADOW = Canary.model_validate({**CANARY.model_dump(), "steps": [0, 25, 100]})
IN_SHADOW = start(LIVE, SECOND, 0, date(2025, 3, 10))


def test_a_canary_may_begin_in_shadow_and_goes_from_there_to_a_share_of_the_entities():
    begun = _decide(None, LIVE, SECOND, canary=SHADOW)
    assert (begun.outcome, begun.after.challenger, begun.after.percent) == ("start", SECOND, 0)
    assert begun.reason.endswith("in shadow alongside version 1 of 2025-03-01")
    advanced = _decide(_evidence(), IN_SHADOW, canary=SHADOW)
    assert (advanced.outcome, advanced.after.percent) == ("advance", 25)
    assert "goes from its shadow to 25 percent" in advanced.reason


def test_a_shadow_holds_is_rolled_back_or_becomes_the_champion():
    decision = _decide(_evidence(step_rows=99), IN_SHADOW, canary=SHADOW)
    assert (decision.outcome, decision.after) == ("hold", IN_SHADOW)
    assert "stays in shadow: 99 of 100 labelled rows" in decision.reason
    worse = _decide(_evidence(difference=-0.1), IN_SHADOW, canary=SHADOW)
    assert (worse.outcome, worse.after.challenger) == ("rollback", None)
    assert "is rolled back in shadow" in worse.reason
    promoted = _decide(_evidence(), IN_SHADOW, canary=Canary.model_validate({**CANARY.model_dump(), "steps": [0, 100]}))
    assert (promoted.outcome, promoted.after.champion) == ("promote", SECOND)
