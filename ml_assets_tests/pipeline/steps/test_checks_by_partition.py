"""Checks by partition: each day's result is one of its partition in Dagster, and blocks as before."""

from datetime import date

import dagster as dg
import pytest

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, asset_key
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.pipeline.steps.check_results import CheckRun, runs_by_day
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of

ACCEPTED = "every_day_accepted"


def spec_with(**checks) -> ModelSpec:
    return ModelSpec.model_validate({**SMALL, "checks": {**SMALL["checks"], "by_partition": True, **checks}})


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str | None, dg.AssetCheckEvaluation]:
    named = [evaluation for evaluation in result.get_asset_check_evaluations() if evaluation.check_name == ACCEPTED]
    assert len({evaluation.partition for evaluation in named}) == len(named)
    return {evaluation.partition: evaluation for evaluation in named}


@pytest.mark.slow
def test_a_range_stores_the_result_of_each_day_under_its_partition(tmp_path):
    (tmp_path / "home").mkdir()
    world = World(tmp_path, spec_with(), instance=dg.DagsterInstance.local_temp(str(tmp_path / "home")))
    for number in (1, 2, 3):
        world.land(day(number), rows_of(day(number)) if number != 2 else b"no Parquet")
    result = world.run(list(LANDED_TO_FEATURES), day(1), day(3))
    by_partition = evaluations(result)
    assert {partition: evaluation.passed for partition, evaluation in by_partition.items()} == {
        str(day(1)): True,
        str(day(2)): False,
        str(day(3)): True,
    }
    assert (by_partition[str(day(2))].description or "").startswith(str(day(2)))
    assert by_partition[str(day(1))].metadata["days"].value == 1
    key = dg.AssetCheckKey(asset_key(world.spec, "validated_data"), ACCEPTED)
    stored = world.instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    assert {(record.partition, record.status.value) for record in stored} == {
        (str(day(1)), "SUCCEEDED"),
        (str(day(2)), "FAILED"),
        (str(day(3)), "SUCCEEDED"),
    }
    again = evaluations(world.run(["validated_data", "quarantined_data"], day(3)))
    assert {partition: evaluation.passed for partition, evaluation in again.items()} == {str(day(3)): True}
    # The status of partitions, which Dagster's UI shows, leaves out results that are for no stored materialization.
    (validated,) = (asset for asset in build_assets(world.spec) if key.asset_key in asset.keys)
    state = world.instance.event_log_storage.get_asset_check_state([(key, validated.partitions_def)])[key]
    days = {status.value: sorted(subset.subset_value.get_partition_keys()) for status, subset in state.subsets.items()}
    assert {status: keys for status, keys in days.items() if keys} == {
        "SUCCEEDED": [str(day(1)), str(day(3))],
        "FAILED": [str(day(2))],
    }


@pytest.mark.parametrize(("bad", "succeeds"), [((1, 2), False), ((2,), True)])
def test_a_blocking_check_stops_a_run_in_which_no_day_passes(tmp_path, bad, succeeds):
    world = World(tmp_path, spec_with(every_day_accepted={"blocking": True}))
    for number in (1, 2):
        world.land(day(number), b"no Parquet" if number in bad else rows_of(day(number)))
    result = world.run(list(LANDED_TO_FEATURES), day(1), day(2), succeed=succeeds)
    assert {evaluation.blocking for evaluation in evaluations(result).values()} == {not succeeds}


def test_by_default_checks_have_no_partitions():
    for spec, partitioned in ((ModelSpec.model_validate(SMALL), False), (spec_with(), True)):
        checks = [check for asset in build_assets(spec) for check in asset.check_specs]
        assert {check.partitions_def is not None for check in checks} == {partitioned}


def test_the_plot_goes_to_the_day_that_it_shows_and_figures_of_all_days_to_the_newest():
    outcomes = [CheckOutcome("c", date(2025, 1, number), number != 2, "why") for number in (3, 1, 2)]
    first, second, third = runs_by_day(CheckRun(dg.AssetKey("a"), "c", outcomes, b"plot", {"all": 3}))
    assert [run.outcomes[0].day.day for run in (first, second, third)] == [1, 2, 3]
    assert [run.plot for run in (first, second, third)] == [None, b"plot", None]
    assert [run.metadata for run in (first, second, third)] == [{}, {}, {"all": 3}]
