"""How many models are trained side by side."""

from datetime import date, timedelta

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.concurrency import BYTES_PER_VALUE, memory_at_once, models_at_once
from ml_assets.core.training.engines.local import VALUES_PER_THREAD
from ml_assets_tests.conftest import SMALL

DAYS = [date(2025, 1, 1) + timedelta(days=number) for number in range(20)]


def spec_of(cpu: int, gpu: int = 0, **training) -> ModelSpec:
    return ModelSpec.model_validate(
        {**SMALL, "training": {**SMALL["training"], **training}, "compute": {"cpu": cpu, "gpu": gpu}}
    )


def rows(spec: ModelSpec, threads: float) -> dict[date, int]:
    """Return row counts by day, with a window of four days that keeps so many threads busy."""
    return dict.fromkeys(DAYS, int(threads * VALUES_PER_THREAD / len(spec.feature_names()) / 4))


@pytest.mark.parametrize(("threads", "at_once"), [(0, 4), (0.9, 4), (1.1, 2), (2.1, 1), (9, 1)])
def test_all_models_together_have_the_threads_of_the_step(threads, at_once):
    spec = spec_of(4)
    assert models_at_once(spec, DAYS[-2:], rows(spec, threads)) == at_once


def test_the_largest_window_counts():
    spec = spec_of(4)
    counts = {day: count if day == DAYS[-9] else 0 for day, count in rows(spec, 4.4).items()}
    assert models_at_once(spec, DAYS[:2], counts) == 4
    assert models_at_once(spec, DAYS, counts) == 2


ENCODED = {"encode": {"shop": "onehot"}}


@pytest.mark.parametrize(
    "spec",
    [
        spec_of(1),
        spec_of(4, gpu=1),
        spec_of(4, engine="dask"),
        spec_of(4, engine="external_memory"),
        spec_of(4).model_copy(
            update={
                "training": spec_of(4).training.model_copy(
                    update={"preprocessing": spec_of(4).training.preprocessing.model_copy(update=ENCODED)}
                )
            }
        ),
    ],
    ids=["one core", "GPU", "Dask", "external memory", "one-hot"],
)
def test_other_models_are_trained_one_at_a_time(spec):
    assert models_at_once(spec, DAYS, rows(spec, 0)) == 1


def test_memory_is_that_of_the_models_in_threads_and_of_as_many_that_wait():
    spec = spec_of(3)
    counts = dict.fromkeys(DAYS, 10)
    assert memory_at_once(spec, DAYS[-3:], counts) == 6 * 40 * len(spec.feature_names()) * BYTES_PER_VALUE
    assert memory_at_once(spec, DAYS, counts) == memory_at_once(spec, DAYS[-1:], counts)
