"""The printed plan groups days that share a reason, names what changed, and stays short whatever the plan."""

import io
import re
from datetime import date, timedelta

from rich.console import Console

from ml_assets.cli.console.plan_report import MOST_COMMANDS, MOST_RANGES, MOST_RUNS, print_plan
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.day_ranges import chunks
from ml_assets.core.tables.fingerprint import CHANGED_CODE, CHANGED_INPUT, NEW
from ml_assets.pipeline.planning.backfill_plan import MISSING, Plan, PlannedDay, StagePlan
from ml_assets.pipeline.planning.row_estimates import FileChanges, Rows
from ml_assets_tests.conftest import SMALL

SPEC = ModelSpec.model_validate(SMALL)


def day(number: int) -> date:
    return date(2025, 1, 1) + timedelta(days=number - 1)


def printed(stages: list[StagePlan], last: int, most: int | None = 128) -> str:
    output = io.StringIO()
    spec = SPEC.model_copy(update={"backfill": SPEC.backfill.model_copy(update={"days_per_run": most})})
    runs = chunks([day(number) for number in range(1, last + 1)], most)
    print_plan(Console(file=output, width=80), spec, "small_features", Plan(stages, runs))
    return output.getvalue()


def test_neighbours_with_one_reason_are_one_line_that_names_all_their_inputs():
    days = [
        PlannedDay(day(number), (CHANGED_INPUT,), {"validated_data": [day(2), day(3)][: number - 1]})
        for number in (2, 3, 4)
    ]
    said = printed([StagePlan("features", [day(1)], days)], 4)
    assert "features  3 to compute, 1 unchanged" in said
    assert re.search(
        r"2025-01-02 to 2025-01-04 +3 days  changed input \(validated_data of 2025-01-02 to 2025-01-03\)\n", said
    )


def test_several_reasons_are_all_named_and_an_input_without_a_name_is_said_so():
    said = printed([StagePlan("features", [], [PlannedDay(day(1), (CHANGED_CODE, CHANGED_INPUT))])], 1)
    assert "changed code, changed input (its inputs were recomputed or its rows corrected earlier)" in said


def test_of_many_files_a_few_are_named_and_the_others_counted():
    keys = [f"[x]/{number}.csv" for number in range(50)]
    single = PlannedDay(
        day(1), (CHANGED_INPUT,), files=FileChanges(["a.csv"], [], keys), rows=Rows(1200, False), size=2_000_000
    )
    said = printed([StagePlan("raw_data", [], [single])], 1)
    assert "changed input (new a.csv; rewritten [x]/0.csv, [x]/1.csv, [x]/2.csv and 47 more)" in said
    assert "1 to compute, about 1,200 rows, 2.0 MB, 0 unchanged" in said


def test_rows_are_exact_an_estimate_or_unknown():
    exact, unknown = (
        PlannedDay(day(1), (NEW,), rows=Rows(1200, True)),
        PlannedDay(day(2), (NEW,), rows=Rows(None, False)),
    )
    assert "1 to compute, 1,200 rows, 0 unchanged" in printed([StagePlan("raw_data", [], [exact])], 1)
    assert "2 to compute, rows unknown, 0 unchanged" in printed([StagePlan("raw_data", [], [exact, unknown])], 2)
    assert "1 to compute, 0 unchanged" in printed([StagePlan("raw_data", [], [PlannedDay(day(1), (NEW,))])], 1)


def test_days_that_cannot_be_made_are_listed_with_the_reason_and_the_failure_of_the_run():
    stages = [
        StagePlan("features", [], [PlannedDay(day(2), (NEW,))], [(day(1), "needs [this] first")], [day(1)]),
        StagePlan("trained_model", not_reached=[day(1), day(2)]),
    ]
    said = printed(stages, 2)
    assert "cannot be computed: needs [this] first" in said
    assert re.search(r"2025-01-01 to 2025-01-02 +2 days  not reached", said)
    assert "A run fails at features" in said


def test_a_day_without_a_model_is_said_with_the_command_and_fails_no_run():
    said = printed([StagePlan("trained_model", [day(2)], [], [(day(1), "make [them] first")])], 2)
    assert "cannot be computed: make [them] first" in said
    assert "No model is trained of 1 day until the days that it reads are computed" in said
    assert "fails" not in said
    assert "Nothing to compute." in said


def test_nothing_to_do_is_said_and_no_command_printed():
    said = printed([StagePlan("raw_data", [day(1)])], 1)
    assert "Nothing to do" in said
    assert "dagster job" not in said


def test_the_commands_cover_the_runs_that_have_something_to_make():
    said = printed(
        [StagePlan("raw_data", [day(number) for number in range(1, 4)], [PlannedDay(day(4), (MISSING,), note="gone")])],
        6,
        2,
    )
    assert f"dg launch --job small_features --partition-range {day(3)}...{day(4)}" in said
    assert "missing: gone" in said
    assert "Runs  3, at most 2 days each" in said


def test_the_length_is_bounded_for_400_days_and_six_stages():
    every_other = [PlannedDay(day(number), (NEW,)) for number in range(1, 401, 2)]
    cannot = [(day(number), "no " * 20) for number in range(2, 401, 2)]
    stages = [StagePlan(f"stage_{number}", [], every_other, cannot) for number in range(6)]
    said = printed(stages, 400, 10)
    assert said.count("\n") <= 6 * (MOST_RANGES + 2) + MOST_RUNS + MOST_COMMANDS + 12
    assert "... and 388 more days in 388 ranges" in said
    assert "... and 32 more" in said
    assert "run after run (37 more)" in said
