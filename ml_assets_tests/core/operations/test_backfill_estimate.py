"""A backfill is estimated from measured days, and what was not measured is said to be unknown."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ml_assets.core.model_spec.compute import Prices
from ml_assets.core.operations.backfill_estimate import BackfillEstimate, estimate_backfill

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def step(stage: str, days: int, seconds: float, hour: int = 0, **figures) -> list[dict]:
    """Build the rows of a step that took these seconds for each of its days."""
    return [
        {
            "stage": stage,
            "run_id": f"{stage}-{days}-{hour}",
            "day": date(2025, 1, 1) + timedelta(days=number),
            "measured_at": NOW + timedelta(hours=hour),
            "seconds": seconds,
            "cpu_seconds": 2 * seconds,
            "reserved_cpu_seconds": 0.0,
            "gpu_seconds": 0.0,
            "memory_peak": 1000,
            **figures,
        }
        for number in range(days)
    ]


def test_a_backfill_takes_what_as_many_days_took_together():
    estimate = estimate_backfill(step("features", 60, 0.5), {"features": 120}, 60)
    assert estimate.seconds == pytest.approx(60)
    assert estimate.cpu_hours == pytest.approx(120 / 3600)
    assert (estimate.memory_peak, estimate.unmeasured) == (1000, [])


def test_steps_of_a_similar_number_of_days_count_and_no_others():
    measured = [*step("features", 1, 9.0), *step("features", 50, 0.5, 1), *step("features", 2, 5.0, 2)]
    assert estimate_backfill(measured, {"features": 60}, 60).seconds == pytest.approx(30)
    assert estimate_backfill(measured, {"features": 1}, 60).seconds == pytest.approx(9)
    assert estimate_backfill(measured, {"features": 60}, 60).stages["features"].is_comparable
    assert not estimate_backfill(measured, {"features": 600}, 600).stages["features"].is_comparable
    assert estimate_backfill(measured, {"features": 60}, 1).seconds == pytest.approx(540), "sixty runs of one day"


def test_the_start_of_pods_takes_time():
    measured = step("features", 10, 2.0, start_seconds=3.0, reserved_cpu_seconds=20.0)
    estimate = estimate_backfill(measured, {"features": 20}, 10)
    assert estimate.seconds == pytest.approx(100)
    assert estimate.cpu_hours == pytest.approx(400 / 3600)


def test_the_newest_steps_count():
    measured = [row for hour in range(10) for row in step("features", 1, 1.0 if hour < 5 else 3.0, hour)]
    assert estimate_backfill(measured, {"features": 1}, 1).seconds == pytest.approx(3)


def test_a_stage_that_was_never_measured_is_named_and_one_with_nothing_to_make_is_not():
    estimate = estimate_backfill(step("features", 1, 1.0), {"features": 2, "evaluation": 2, "predictions": 0}, 2)
    assert [*estimate.stages] == ["features"]
    assert estimate.unmeasured == ["evaluation"]
    nothing = estimate_backfill([], {"features": 2}, 2)
    assert nothing == BackfillEstimate({}, ["features"])


def test_the_cost_is_that_of_cores_and_gpus():
    prices = Prices(cpu_hour=0.5, gpu_hour=4)
    on_gpu = estimate_backfill(step("trained_model", 1, 3600, gpu_seconds=7200.0), {"trained_model": 1}, 1)
    assert on_gpu.cost(prices) == pytest.approx(2 * 0.5 + 2 * 4)
    assert on_gpu.cost(None) is None
    assert on_gpu.cost(Prices(cpu_hour=0.5)) is None, "a GPU has no price"
    on_cpu = estimate_backfill(step("features", 1, 3600), {"features": 1}, 1)
    assert on_cpu.cost(Prices(cpu_hour=0.5)) == pytest.approx(1)
    assert BackfillEstimate().cost(prices) is None
