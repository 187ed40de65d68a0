"""A blocking check stops a run when every evaluated day fails; otherwise the result shows the verdict of each day and
the other days go on.
"""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.steps.check_results import CheckRun, build_check_result, failed_by_day, table
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import World, check, computed, day, rows_of

DAILY = list(LANDED_TO_FEATURES)
KEY = dg.AssetKey(["small", "validated_data"])


def outcome(number: int, passed: bool | None, severity="error", lines=()) -> CheckOutcome:
    return CheckOutcome("row_count", day(number), passed, f"reason {number}", severity, lines)


def check_run(*outcomes: CheckOutcome) -> CheckRun:
    return CheckRun(KEY, "row_count", outcomes)


def by_day(result: dg.AssetCheckResult) -> list[tuple]:
    return [tuple(record.data.values()) for record in result.metadata["by_day"].records]


def test_a_result_lists_every_day_failed_days_first():
    result = build_check_result(check_run(outcome(1, True), outcome(2, None), outcome(3, False)))
    assert not result.passed
    assert by_day(result)[0] == (str(day(3)), "failed", "error", "reason 3")
    assert [row[1] for row in by_day(result)] == ["failed", "passed", "not evaluated"]
    assert result.metadata["days_evaluated"].value == 2
    assert result.description == f"{day(3)}: reason 3"


@pytest.mark.parametrize(("severities", "expected"), [(["warn", "warn"], "WARN"), (["warn", "error"], "ERROR")])
def test_the_highest_severity_of_the_failed_days_counts(severities, expected):
    result = build_check_result(
        check_run(*(outcome(number, False, severity) for number, severity in enumerate(severities, 1)))
    )
    assert result.severity.value == expected
    assert "(and 1 more of 2 days)" in (result.description or "")


def test_a_long_range_lists_every_failed_day_and_summarizes_passed_days_as_ranges():
    outcomes = [outcome(number, number % 3 == 0 if number <= 600 else None) for number in range(1, 602)]
    result = build_check_result(check_run(*outcomes))
    assert [row[1] for row in by_day(result)] == ["failed"] * 400
    assert result.metadata["days_passed"].value.split(", ")[:2] == [f"{day(3)}...{day(3)}", f"{day(6)}...{day(6)}"]
    few = build_check_result(
        check_run(outcome(1, True), outcome(2, True), outcome(3, False), outcome(4, True), outcome(5, None))
    )
    assert few.metadata["days_passed"].value == f"{day(1)}...{day(2)}, {day(4)}...{day(4)}"


def test_a_check_passes_when_no_day_can_be_evaluated():
    result = build_check_result(check_run(outcome(1, None)))
    assert result.passed
    assert result.metadata["days_evaluated"].value == 0


@pytest.mark.parametrize(
    ("outcomes", "stops"),
    [
        ([outcome(1, False)], True),
        ([outcome(1, False), outcome(2, False)], True),
        ([outcome(1, False), outcome(2, None)], True),
        ([outcome(1, False), outcome(2, True)], False),
        ([outcome(1, False, "warn")], False),
        ([outcome(1, None)], False),
        ([], False),
    ],
)
def test_a_run_stops_only_when_every_evaluated_day_fails(outcomes, stops):
    assert check_run(*outcomes).stops_run == stops


def test_failed_checks_are_grouped_by_day():
    assert failed_by_day(
        [check_run(outcome(1, True), outcome(2, False)), CheckRun(KEY, "no_gaps", [outcome(2, False, "warn")])]
    ) == {day(2): ["row_count (error)", "no_gaps (warn)"]}


def test_a_table_is_bounded_and_accepts_rows_with_different_columns():
    metadata = table([{"a": number, "b": None if number else [1]} for number in range(300)] + [{"c": 1}])
    assert len(metadata.records) == 200
    assert metadata.records[0].data == {"a": 0, "b": "[1]"}


@pytest.fixture
def blocking(tmp_path: Path) -> World:
    """Land four days, the third with violations, for a model whose check every_day_accepted blocks."""
    spec = ModelSpec.model_validate({**CHECKED, "checks": {"every_day_accepted": {"blocking": True}}})
    world = World(tmp_path, spec)
    for number in range(1, 5):
        rows = rows_of(day(number))
        world.land(day(number), rows.assign(amount=-1.0) if number == 3 else rows)
    return world


@pytest.mark.slow
def test_a_run_of_only_the_rejected_day_stops_before_features(blocking):
    blocking.run(DAILY, day(1), day(2))
    result = blocking.run(DAILY, day(3), succeed=False)
    assert {event.step_key for event in result.all_events if event.is_step_start} == {
        "small__raw_data",
        "small__validated_data",
    }
    assert not check(result, "every_day_accepted").passed
    assert computed(result, "validated_data") == [day(3)]
    assert day(3) not in blocking.stages().features.tables["features"].row_counts()


def test_in_a_range_the_rejected_day_fails_the_check_and_the_other_days_go_on(blocking):
    result = blocking.run(DAILY, day(1), day(4))
    assert computed(result, "features") == [day(number) for number in range(1, 5)]
    evaluation = check(result, "every_day_accepted")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert [
        record.data["day"] for record in evaluation.metadata["by_day"].records if record.data["verdict"] == "failed"
    ] == [str(day(3))]


def test_a_failed_check_is_in_the_metadata_of_its_day(blocking):
    result = blocking.run(DAILY, day(1), day(4))
    materializations = [
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    ]
    flagged = {
        date.fromisoformat(materialization.partition)
        for materialization in materializations
        if "every_day_accepted (error)" in str(materialization.metadata.get("checks_failed"))
        and materialization.asset_key == KEY
    }
    assert flagged == {day(3)}


@pytest.mark.slow
def test_a_day_accepted_in_the_specification_does_not_block(blocking):
    checks = {"every_day_accepted": {"blocking": True}, "accepted": {str(day(3)): ["every_day_accepted"]}}
    accepted = World(blocking.root, ModelSpec.model_validate({**CHECKED, "checks": checks}))
    assert check(accepted.run(DAILY, day(1), day(4)), "every_day_accepted").passed
    assert accepted.run(DAILY, day(3)).success
