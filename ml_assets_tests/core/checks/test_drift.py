"""The finding of a day names the worst column with its figures, and is silent where there is too little to compare
with.
"""

from dataclasses import replace

from ml_assets.core.checks.drift import drifts_of, evaluate_drift
from ml_assets.core.model_spec.checks import DriftCheck
from ml_assets_tests.core.profiling.profile_cases import DAY, normal, profile_of

BOUNDS = DriftCheck(severity="warn")
BEFORE = [profile_of(normal(seed)) for seed in range(1, 8)]


def outcome(columns: dict, days: int = 7, bounds: DriftCheck = BOUNDS):
    profiles = {name: replace(profile_of(values), name=name) for name, values in columns.items()}
    return evaluate_drift(
        "column_drift", DAY, drifts_of(profiles, dict.fromkeys(columns, BEFORE[:days]), bounds), bounds
    )


def test_the_worst_column_is_named_and_comes_first():
    found = outcome({"a": normal(9), "b": normal(9) + 8, "c": normal(9) * 100})
    assert found.passed is False
    assert found.reason.startswith("c drifted: psi ")
    assert "is above 0.25 and what chance adds" in found.reason
    assert found.reason.endswith("; so did b")
    assert [line["column"] for line in found.lines] == ["c", "b", "a"]
    assert found.lines[0]["exceeds"] == "psi, ks"
    assert found.severity == "warn"


def test_a_day_like_the_others_passes():
    found = outcome({"a": normal(9), "b": normal(10)})
    assert found.passed
    assert len(found.lines) == 2


def test_without_five_days_to_compare_with_nothing_is_judged():
    assert outcome({"a": normal(9) * 100}, days=4).passed is None
    assert outcome({"a": normal(9) * 100}, days=5).passed is False


def test_at_most_fifty_columns_are_told():
    assert len(outcome({f"x{number}": normal(9) for number in range(60)}).lines) == 50


def test_a_day_that_went_wrong_before_does_not_make_a_good_one_look_wrong():
    good = [profile_of(normal(seed)) for seed in range(6)]
    odd = profile_of(normal(8) * 100)
    (judged,) = drifts_of({"a": profile_of(normal(9))}, {"a": [odd, *good]}, DriftCheck())
    assert not judged.exceeded
    (drifted,) = drifts_of({"a": odd}, {"a": [odd, *good]}, DriftCheck())
    assert drifted.exceeded


def test_days_that_disagree_among_themselves_judge_nothing():
    halves = [profile_of(normal(seed) * scale) for seed, scale in enumerate([1, 1, 1, 100, 100, 100])]
    assert drifts_of({"a": profile_of(normal(9))}, {"a": halves}, DriftCheck()) == []
