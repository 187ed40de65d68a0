"""The drift outcome of a day names the worst column; with too few reference days there is no evaluation."""

from dataclasses import replace

from ml_assets.core.checks.drift import evaluate_drift, measure_drift
from ml_assets.core.model_spec.checks.drift_checks import DriftCheck
from ml_assets_tests.core.profiling.profile_cases import DAY, days_before, normal, profile_of

BOUNDS = DriftCheck(severity="warn")
BEFORE = [profile_of(normal(seed)) for seed in range(1, 8)]


def dated(profiles):
    return dict(zip(days_before(len(profiles)), profiles, strict=True))


def outcome(columns: dict, days: int = 7, bounds: DriftCheck = BOUNDS):
    profiles = {name: replace(profile_of(values), name=name) for name, values in columns.items()}
    return evaluate_drift(
        "column_drift",
        DAY,
        measure_drift(profiles, dict.fromkeys(columns, dated(BEFORE[:days])), bounds, DAY),
        bounds,
    )


def test_the_worst_column_is_named_and_comes_first():
    drifted = outcome({"a": normal(9), "b": normal(9) + 8, "c": normal(9) * 100})
    assert drifted.passed is False
    assert drifted.reason.startswith("c drifted: psi ")
    assert "its bound 0.25 plus the allowance for chance" in drifted.reason
    assert drifted.reason.endswith("; so did b")
    assert [line["column"] for line in drifted.lines] == ["c", "b", "a"]
    assert drifted.lines[0]["exceeds"] == "psi, ks"
    assert drifted.severity == "warn"


def test_a_day_like_the_others_passes():
    drifted = outcome({"a": normal(9), "b": normal(10)})
    assert drifted.passed
    assert len(drifted.lines) == 2


def test_fewer_than_five_reference_days_give_no_evaluation():
    assert outcome({"a": normal(9) * 100}, days=4).passed is None
    assert outcome({"a": normal(9) * 100}, days=5).passed is False


def test_details_list_at_most_fifty_columns():
    assert len(outcome({f"x{number}": normal(9) for number in range(60)}).lines) == 50


def test_an_outlier_day_in_the_reference_does_not_fail_a_good_day():
    good = [profile_of(normal(seed)) for seed in range(6)]
    outlier = profile_of(normal(8) * 100)
    (good_drift,) = measure_drift({"a": profile_of(normal(9))}, {"a": dated([outlier, *good])}, DriftCheck(), DAY)
    assert not good_drift.exceeded
    (drifted,) = measure_drift({"a": outlier}, {"a": dated([outlier, *good])}, DriftCheck(), DAY)
    assert drifted.exceeded


def test_where_most_reference_days_disagree_none_of_their_kinds_drifts():
    halves = [profile_of(normal(seed) * scale) for seed, scale in enumerate([1, 1, 1, 100, 100, 100])]
    for scale in (1, 100):
        day = profile_of(normal(9) * scale)
        (drift,) = measure_drift({"a": day}, {"a": dated(halves)}, DriftCheck(), DAY)
        assert not drift.exceeded
