"""The input size of a step at its launch: landed files, or the days in the lake that its assets depend on."""

from datetime import date

import pytest

from ml_assets.pipeline.steps.input_size import input_bytes
from ml_assets.pipeline.steps.partition_tags import days_of
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.kubernetes.jobs import definitions_of, instance_on_kubernetes, make_run, step_contexts

RANGE = {"dagster/asset_partition_range_start": "2025-01-10", "dagster/asset_partition_range_end": "2025-01-12"}


class SizedLake(Lake):
    """A lake in which day d of a table has d times as many bytes as the unit of the table."""

    def bytes_by_day(self, model: str, asset: str) -> dict[date, int]:
        assert model == "small"
        unit = {"raw_data": 1, "validated_data": 100, "features": 10_000, "trained_model": 10**6, "evaluation": 10**8}[
            asset
        ]
        return {date(2025, 1, day): day * unit for day in range(1, 20)}


@pytest.fixture(scope="module")
def instance():
    with instance_on_kubernetes() as kubernetes_instance:
        yield kubernetes_instance


@pytest.fixture
def size_of_step(instance, make_spec, tmp_path):
    """Measure the input of a stage in a run with given tags, in bytes."""
    for day, size in [(10, 3), (11, 50), (12, 7)]:
        (tmp_path / f"2025-01-{day}").mkdir()
        (tmp_path / f"2025-01-{day}" / "a.csv").write_bytes(b"x" * size)
    spec = make_spec()
    job = definitions_of(spec).resolve_job_def("small_daily")

    def measure(stage: str, tags: dict[str, str]) -> int:
        context = step_contexts(instance, job, make_run(instance, job, tags))[f"small__{stage}"]
        return input_bytes(context, SizedLake(uri=str(tmp_path / "lake")), Landing(uri=str(tmp_path)))

    return measure


def test_the_input_of_ingestion_is_its_landed_files(size_of_step):
    assert size_of_step("raw_data", {"dagster/partition": "2025-01-10"}) == 3
    assert size_of_step("raw_data", RANGE) == 50


def test_the_input_of_a_stage_that_reads_the_lake_is_the_days_that_it_depends_on(size_of_step):
    day = {"dagster/partition": "2025-01-12"}
    assert size_of_step("validated_data", day) == 12
    # A window of one day also reads the day before.
    assert size_of_step("features", day) == (11 + 12) * 100
    # Label delay 2, holdout 2, label delay 2, window 4: from 9 to 6 days before.
    assert size_of_step("trained_model", day) == (3 + 4 + 5 + 6) * 10_000
    assert size_of_step("model_registry_entry", day) == 12 * 10**6 + 12 * 10**8


def test_the_input_of_a_range_is_that_of_its_largest_day(size_of_step):
    assert size_of_step("validated_data", RANGE) == 12


def test_days_are_read_from_the_tags_of_a_run():
    assert days_of({"dagster/partition": "2025-01-10"}) == [date(2025, 1, 10)]
    assert days_of(RANGE) == [date(2025, 1, 10), date(2025, 1, 11), date(2025, 1, 12)]
    assert days_of({"model": "small"}) == []
