"""The cost of a step is shared among its days, and none of it is lost."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.stage_costs import (
    MadeDay,
    Reservation,
    Start,
    Usage,
    billed_cpu_seconds,
    reserve,
    share_costs,
)
from ml_assets_tests.conftest import SMALL

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def made(*seconds: float) -> list[MadeDay]:
    return [MadeDay(date(2025, 1, 1) + timedelta(days=n), took, 10, 100) for n, took in enumerate(seconds)]


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=20), st.floats(0.001, 1e5), st.floats(0, 1e6))
def test_the_days_share_all_seconds_and_cores_of_the_step(seconds, total, cpu):
    rows = share_costs("features", "run", NOW, made(*seconds), Usage(total, cpu, 7), Reservation(2, 1, 3), Start())
    assert sum(row["seconds"] for row in rows) == pytest.approx(total)
    assert sum(row["cpu_seconds"] for row in rows) == pytest.approx(cpu)
    assert sum(row["gpu_seconds"] for row in rows) == pytest.approx(total)
    assert sum(row["reserved_cpu_seconds"] for row in rows) == pytest.approx(2 * total)
    assert all(row["seconds"] >= 0 for row in rows)


def test_a_slow_day_costs_more_and_all_days_share_the_rest_of_the_step():
    slow, fast = share_costs("features", "run", NOW, made(6, 2), Usage(10, 20, 7), Reservation(), Start())
    assert (slow["seconds"], fast["seconds"]) == (7, 3)
    assert (slow["cpu_seconds"], fast["cpu_seconds"]) == (14, 6)
    assert slow["days_in_step"] == 2
    assert slow["memory_peak"] == 7


def test_days_made_side_by_side_cost_no_more_seconds_than_the_step_took():
    rows = share_costs("features", "run", NOW, made(8, 8), Usage(10, 16, 7), Reservation(), Start())
    assert [row["seconds"] for row in rows] == [5, 5]


def test_a_day_is_charged_for_what_its_pods_reserve_or_for_what_it_used_if_that_is_more():
    reserved, used = (
        share_costs("features", "run", NOW, made(10), Usage(10, cpu, 7), Reservation(0.5, 0, 1), Start())[0]
        for cpu in (3, 9)
    )
    assert billed_cpu_seconds(reserved) == 5
    assert billed_cpu_seconds(used) == 9


def test_pods_are_reserved_from_their_start_on_and_the_days_share_it():
    rows = share_costs("features", "run", NOW, made(5, 5), Usage(10, 3, 7), Reservation(2, 1, 1), Start(30, 60))
    assert [row["start_seconds"] for row in rows] == [15, 15]
    assert [row["queue_seconds"] for row in rows] == [60, 60], "of the run"
    assert [row["reserved_cpu_seconds"] for row in rows] == [2 * (5 + 15)] * 2
    assert [row["gpu_seconds"] for row in rows] == [20, 20]


def spec(**changes) -> ModelSpec:
    return ModelSpec.model_validate({**SMALL, **changes})


def test_outside_of_kubernetes_only_gpus_are_reserved():
    assert reserve(spec(), trains=False, has_workers=False, is_pod=False) == Reservation()
    assert reserve(spec(compute={"gpu": 2}), trains=True, has_workers=False, is_pod=False).gpus == 2


def test_a_pod_reserves_half_of_its_limit_and_workers_theirs():
    kubernetes = {"kubernetes": {"image": "x"}, "workers": 3}
    pods = spec(compute={"cpu": 4, "data": {"cpu": 2}, "dask": kubernetes})
    assert reserve(pods, trains=False, has_workers=False, is_pod=True) == Reservation(1, 0, 1)
    assert reserve(pods, trains=True, has_workers=False, is_pod=True) == Reservation(2, 0, 1)
    assert reserve(pods, trains=False, has_workers=True, is_pod=True) == Reservation(4, 0, 4)


def test_workers_that_run_already_belong_to_nobody():
    running = spec(compute={"dask": {"address": "tcp://scheduler:8786", "workers": 9}})
    assert reserve(running, trains=False, has_workers=True, is_pod=True).pods == 1
