"""Contract checks through Dagster: each day is evaluated, warnings publish rows, and a blocking check stops the run."""

import copy
import json
from pathlib import Path

import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import ROWS, World, check, computed, day, rows_of

DAILY = list(LANDED_TO_FEATURES)


def world_of(tmp_path: Path, amount: dict | None = None, **changes) -> World:
    """Create a world whose column `amount` has further rules."""
    small = copy.deepcopy(CHECKED) | {"quality": {"max_bad_share": 0.5, "max_rule_share": 0}} | changes
    small["columns"]["amount"] |= amount or {}
    return World(tmp_path, ModelSpec.model_validate(small))


def with_negative(number: int, count: int) -> pd.DataFrame:
    rows = rows_of(day(number))
    rows.loc[rows.index[:count], "amount"] = -1.0
    return rows


def records(evaluation, name: str) -> list[dict]:
    return [record.data for record in evaluation.metadata[name].records]


def verdicts(evaluation) -> dict[str, str]:
    return {line["day"]: line["verdict"] for line in records(evaluation, "by_day")}


@pytest.mark.slow
def test_a_range_run_counts_each_rule_on_each_day_and_samples_few_rows(tmp_path):
    world = world_of(tmp_path)
    for number, count in enumerate([0, 3, 12], start=1):
        world.land(day(number), with_negative(number, count))
    world.land(day(3), with_negative(3, 12).tail(1), "again.parquet")
    result = world.run(["raw_data", "validated_data", "quarantined_data"], day(1), day(4))
    amount = check(result, "contract_amount")
    assert verdicts(amount) == {
        str(day(1)): "passed",
        str(day(2)): "failed",
        str(day(3)): "failed",
        str(day(4)): "not evaluated",
    }
    assert [(line["day"], line["rows"]) for line in records(amount, "violations")] == [
        (str(day(3)), 12),
        (str(day(2)), 3),
    ]
    details = {line["day"]: line for line in records(amount, "details")}
    assert details[str(day(2))]["share"] == 3 / ROWS
    assert [entry["row"] for entry in json.loads(details[str(day(3))]["sample"])] == [0, 1, 2, 3, 4]
    assert check(result, "contract_card").passed
    assert not check(result, "contract_row_key").passed
    again = check(world.run(["raw_data", "validated_data", "quarantined_data"], day(1), day(4)), "contract_amount")
    assert again.metadata == amount.metadata


def test_violations_up_to_the_allowed_share_pass_the_check_and_are_counted(tmp_path):
    world = world_of(tmp_path, quality={"max_bad_share": 0.5, "max_rule_share": 0.05})
    world.land(day(1), with_negative(1, 3))
    amount = check(world.run(["raw_data", "validated_data"], day(1)), "contract_amount")
    assert amount.passed
    assert (
        amount.description
        == f"{day(1)}: less than minimum 0: 3 rows (5.00%), not more than quality.max_rule_share 5.00%"
    )


def test_rows_that_break_a_rule_of_severity_warn_are_published_and_the_check_warns(tmp_path):
    world = world_of(tmp_path, {"severity": {"minimum": "warn"}, "blocking": True})
    world.land(day(1), with_negative(1, 50))
    result = world.run(DAILY, day(1))
    amount = check(result, "contract_amount")
    assert (amount.passed, amount.severity.value) == (False, "WARN")
    assert world.stages().validation.tables["validated_data"].row_counts() == {day(1): ROWS}
    assert computed(result, "features") == [day(1)]


def test_a_blocking_check_stops_features_and_training_of_a_single_partition_run(tmp_path):
    world = world_of(tmp_path, {"blocking": True})
    world.land(day(1), with_negative(1, 3))
    result = world.run([*DAILY, *MODEL_ASSETS], day(1), succeed=False)
    amount = check(result, "contract_amount")
    assert (amount.passed, amount.severity.value, amount.blocking) == (False, "ERROR", True)
    assert computed(result, "validated_data") == [day(1)]
    started = {event.step_key for event in result.all_events if event.is_step_start}
    assert not {step for step in started if step.endswith(("features", "trained_model"))}
    # The other checks of the day are reported as well.
    assert check(result, "every_day_accepted").passed
    assert check(result, "contract_card").passed


def test_in_a_range_the_good_days_continue_and_the_bad_one_is_an_error(tmp_path):
    world = world_of(tmp_path, {"blocking": True})
    for number, count in enumerate([0, 3, 0], start=1):
        world.land(day(number), with_negative(number, count))
    result = world.run(DAILY, day(1), day(3))
    amount = check(result, "contract_amount")
    assert (amount.passed, amount.severity.value) == (False, "ERROR")
    assert verdicts(amount)[str(day(2))] == "failed"
    assert {day(1), day(3)} <= set(computed(result, "features"))


def test_an_accepted_day_passes(tmp_path):
    world = world_of(tmp_path, {"blocking": True}, checks={"accepted": {str(day(1)): ["all"]}})
    world.land(day(1), with_negative(1, 3))
    assert check(world.run(DAILY, day(1)), "contract_amount").passed


@pytest.mark.slow
def test_settings_of_a_check_are_not_an_input_of_a_day(tmp_path):
    world = world_of(tmp_path)
    world.land(day(1), rows_of(day(1)))
    world.run(["raw_data", "validated_data"], day(1))
    other = world_of(tmp_path, {"blocking": True}, quality={"max_bad_share": 0.5, "max_rule_share": 0.2})
    assert computed(other.run(["raw_data", "validated_data"], day(1)), "validated_data") == []


def test_files_without_rows_and_with_new_columns_are_named_and_the_day_is_published(tmp_path):
    world = world_of(tmp_path, checks={"files_read": {"severity": "error"}})
    world.land(day(1), rows_of(day(1)).assign(note="x"))
    world.land(day(2), rows_of(day(2)).assign(note="y", discount=1))
    world.land(day(3), rows_of(day(3)))
    world.land(day(3), rows_of(day(3)).iloc[:0], "empty.csv")
    files = check(world.run(["raw_data", "validated_data"], day(1), day(3)), "files_read")
    assert verdicts(files) == {str(day(1)): "passed", str(day(2)): "failed", str(day(3)): "failed"}
    assert [
        (line["file"].rpartition("/")[2], line["fault"], line["new_columns"]) for line in records(files, "details")
    ] == [
        ("rows.parquet", "", "discount"),
        ("empty.csv", "has no rows", ""),
    ]
    assert world.stages().validation.tables["validated_data"].row_counts()[day(3)] == ROWS
    # In a single-partition run, too, a day is compared with the days before.
    single_partition = check(world.run(["raw_data", "validated_data"], day(2)), "files_read")
    assert (single_partition.passed, single_partition.severity.value) == (False, "ERROR")
