"""A plan says what it takes and costs, or that this is not known."""

import pytest

from ml_assets.cli.console.estimate_lines import estimate_lines, format_seconds
from ml_assets.core.model_spec.compute import Prices
from ml_assets.core.operations.backfill_estimate import BackfillEstimate, StageEstimate

MEASURED = BackfillEstimate(
    {"features": StageEstimate(30, 0.02, 0, 900_000_000, 60), "trained_model": StageEstimate(600, 0.5, 0.17, 10**9, 40)}
)


def text(estimate: BackfillEstimate, prices: Prices | None = None) -> str:
    return "\n".join(estimate_lines(estimate, prices))


def test_time_memory_and_cost_are_named_with_the_longest_stages():
    lines = text(MEASURED, Prices(cpu_hour=1, gpu_hour=10, currency="EUR"))
    assert (
        "about 10 min (trained_model 10 min, features 30 s), 0.52 CPU-hours, 0.17 GPU-hours, memory up to 1.0 GB"
        in lines
    )
    assert "about 2.22 EUR" in lines
    assert "measured on 40 days or more" in lines


def test_what_is_not_known_is_said():
    assert text(BackfillEstimate({}, ["features"])) == "[bold]Takes[/]    unknown, no day was measured"
    assert text(BackfillEstimate()) == "", "a plan that makes nothing takes nothing"
    partly = text(BackfillEstimate(MEASURED.stages, ["evaluation"]), Prices(cpu_hour=1, gpu_hour=1))
    assert "at least 10 min" in partly
    assert "at least 0.69 USD" in partly
    assert "evaluation: unknown, no day was measured" in partly
    assert "no prices (compute.prices)" in text(MEASURED)
    assert "no price of a GPU-hour" in text(MEASURED, Prices(cpu_hour=1))
    inexact = BackfillEstimate({"features": StageEstimate(30, 0.02, 0, 0, 1, is_comparable=False)})
    assert "features: measured in runs of other lengths" in text(inexact)
    assert "fewer or more" not in text(MEASURED)


@pytest.mark.parametrize(("seconds", "shown"), [(0.2, "1 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")])
def test_a_duration_has_the_unit_that_a_person_would_use(seconds, shown):
    assert format_seconds(seconds) == shown


@pytest.mark.parametrize(("price", "cost"), [(1, "0.52"), (0.05, "0.026"), (0.0001, "0.0001"), (4000, "2,080.00")])
def test_a_small_cost_is_not_rounded_to_nothing(price, cost):
    measured = BackfillEstimate({"features": StageEstimate(30, 0.52, 0, 0, 60)})
    assert f"about {cost} USD" in text(measured, Prices(cpu_hour=price))
