"""A failed check names the days that it reads and whose own data failed a check."""

from datetime import date, timedelta

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.pipeline.steps.check_results import CheckRun
from ml_assets.pipeline.steps.flagged_inputs import name_flagged_inputs
from ml_assets.pipeline.steps.report_store import Reports
from ml_assets.resources.lake.lake import Lake

DAY = date(2026, 1, 20)


def back(days: int) -> date:
    return DAY - timedelta(days=days)


def run_of(asset: str, check: str, *outcomes: tuple[date, bool | None]) -> CheckRun:
    return CheckRun(
        dg.AssetKey(["small", asset]), check, [CheckOutcome(check, day, passed, "why") for day, passed in outcomes]
    )


def reported(root, *failed: tuple[date, str]) -> Reports:
    reports = Reports("small", Lake(uri=str(root)))
    reports.add(Part("validated_data", day, outcomes=[CheckOutcome(check, day, False, "x")]) for day, check in failed)
    return reports


def reasons(runs: list[CheckRun]) -> list[str]:
    return [outcome.explanation for run in runs for outcome in run.outcomes]


def days_read(day: date) -> list[date]:
    return [day - timedelta(days=number) for number in range(8)]


def test_a_failed_check_of_features_names_the_days_in_its_windows(tmp_path):
    reports = reported(tmp_path, (back(2), "column_drift"), (back(3), "no_gaps"), (back(9), "row_count"))
    runs = [run_of("features", "feature_drift", (DAY, False), (back(1), True), (back(12), False))]
    assert reasons(name_flagged_inputs(runs, days_read, reports)) == [
        f"why. It reads days whose own data failed checks: {back(2)} (column_drift)",
        "why",
        "why",
    ]


def test_days_of_the_same_run_are_known_before_their_report_is_written(tmp_path):
    runs = [
        run_of("validated_data", "contract_amount", (back(1), False), (DAY, True)),
        run_of("validated_data", "no_gaps", (back(1), True), (DAY, False)),
    ]
    said = reasons(name_flagged_inputs(runs, days_read, reported(tmp_path, (back(1), "row_count"))))
    assert said == [
        "why",
        "why",
        "why",
        f"why. It reads days whose own data failed checks: {back(1)} (contract_amount)",
    ]


def test_a_check_that_reads_the_rows_of_its_day_only_names_no_other_day(tmp_path):
    runs = [run_of("validated_data", name, (DAY, False)) for name in ("every_day_accepted", "contract_amount")]
    assert reasons(name_flagged_inputs(runs, days_read, reported(tmp_path, (back(1), "row_count")))) == ["why", "why"]


def test_many_days_are_counted(tmp_path):
    reports = reported(tmp_path, *((back(number), "row_count") for number in range(1, 6)))
    (said,) = reasons(name_flagged_inputs([run_of("features", "missing_share", (DAY, False))], days_read, reports))
    assert said.endswith(f"{back(1)} (row_count), {back(2)} (row_count), {back(3)} (row_count) and 2 more days")
