"""The engine makes days that are not current, leaves the others alone, and publishes each day once."""

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from ml_assets.pipeline.engine.day_state import expected_fingerprint, is_current
from ml_assets.pipeline.engine.materialize_days import DAYS_PER_COMMIT, make_days
from ml_assets.pipeline.engine.stage import (
    CannotMake,
    DayByDay,
    InputChanged,
    InputExpired,
    InputMissing,
    StageOutput,
)
from ml_assets.pipeline.steps.day_metadata import describe_outcome
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table

SCHEMA = pa.schema([("n", pa.int64())])
FIRST, SECOND, THIRD = (date(2025, 1, day) for day in (1, 2, 3))


class Numbers(DayByDay):
    """A stage whose days are numbers: rows of a day = its number, and a side table for numbers above 5."""

    name, code, spec_part = "numbers", "v1", {"a": 1}

    def __init__(self, lake: Lake, numbers: dict[date, int]):
        self.numbers, self.made = numbers, []
        self.tables: dict[str, Table] = {
            "large": lake.table("m", "large", SCHEMA),
            "numbers": lake.table("m", "numbers", SCHEMA),
        }
        self.before_commit = lambda day: None

    def refresh(self) -> None:
        self.refreshed = True

    def inputs(self, day: date) -> list:
        return [self.numbers[day]]

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        self.made.append(day)
        number = self.numbers[day]
        if number == 0 and single_partition:
            raise CannotMake(f"{day} has nothing")
        self.before_commit(day)
        rows = pa.table({"n": [number] * number}, SCHEMA)
        return StageOutput(
            {"large": rows if number > 5 else SCHEMA.empty_table(), "numbers": rows}, "nothing" if number == 0 else None
        )


class NumbersWithArtifacts(Numbers):
    """The same stage, which stores something outside its tables as well."""

    def __init__(self, lake: Lake, numbers: dict[date, int], artifacts_exist: bool = True):
        super().__init__(lake, numbers)
        self.artifacts_exist = artifacts_exist

    def has_artifacts(self, day: date) -> bool:
        return self.artifacts_exist


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(uri=str(tmp_path))


def run(stage: Numbers, *days: date) -> list:
    return sorted(make_days(stage, days, "run-1", single_partition=len(days) == 1), key=lambda outcome: outcome.day)


def test_days_are_made_once_and_then_unchanged(lake):
    stage = Numbers(lake, {FIRST: 2, SECOND: 3})
    assert [outcome.computed for outcome in run(stage, SECOND, FIRST)] == [True, True]
    assert stage.made == [FIRST, SECOND]
    versions = {name: table.version() for name, table in stage.tables.items()}
    again = Numbers(lake, {FIRST: 2, SECOND: 3})
    assert [outcome.computed for outcome in run(again, FIRST, SECOND)] == [False, False]
    assert again.made == []
    assert {name: table.version() for name, table in again.tables.items()} == versions


def test_only_the_day_whose_input_changed_is_made_again(lake):
    run(Numbers(lake, {FIRST: 2, SECOND: 3, THIRD: 4}), FIRST, SECOND, THIRD)
    stage = Numbers(lake, {FIRST: 2, SECOND: 7, THIRD: 4})
    assert not is_current(stage, SECOND)
    assert [outcome.computed for outcome in run(stage, FIRST, SECOND, THIRD)] == [False, True, False]
    assert stage.tables["numbers"].read([SECOND])["n"].to_pylist() == [7] * 7
    assert is_current(stage, SECOND)


def test_a_day_whose_inputs_were_removed_stays_as_it_is_unless_it_was_removed_itself(lake):
    run(Numbers(lake, {FIRST: 2, SECOND: 3}), FIRST, SECOND)

    class WithoutInputs(Numbers):
        def inputs(self, day: date) -> list:
            raise InputExpired(f"the inputs of {day} were removed")

    stage = WithoutInputs(lake, {})
    (outcome,) = run(stage, FIRST)
    assert (outcome.computed, outcome.metadata) == (False, {"left_as_it_is": "the inputs of 2025-01-01 were removed"})
    assert outcome.fingerprint == stage.tables["numbers"].fingerprint(FIRST)
    assert is_current(stage, FIRST)
    assert not is_current(stage, THIRD)
    stage.tables["numbers"].expire([SECOND], {})
    for day in (SECOND, THIRD):
        with pytest.raises(CannotMake, match=f"the inputs of {day} were removed"):
            run(stage, day)
    assert not is_current(stage, SECOND)
    assert run(Numbers(lake, {SECOND: 3}), SECOND)[0].computed


@pytest.mark.parametrize("change", ["code", "spec_part"])
def test_days_are_made_again_when_code_or_specification_changes(lake, change):
    run(Numbers(lake, {FIRST: 2}), FIRST)
    stage = Numbers(lake, {FIRST: 2})
    setattr(stage, change, "other")
    assert not is_current(stage, FIRST)
    run(stage, FIRST)
    assert stage.made == [FIRST]


def test_a_day_is_made_again_when_its_artifacts_are_gone(lake):
    run(NumbersWithArtifacts(lake, {FIRST: 2}), FIRST)
    assert is_current(NumbersWithArtifacts(lake, {FIRST: 2}), FIRST)
    stage = NumbersWithArtifacts(lake, {FIRST: 2}, artifacts_exist=False)
    assert not is_current(stage, FIRST)
    run(stage, FIRST)
    assert stage.made == [FIRST]


def test_a_day_without_data_is_a_result_in_a_range_and_an_error_in_a_single_partition_run(lake):
    stage = Numbers(lake, {FIRST: 0, SECOND: 1})
    assert [outcome.problem for outcome in run(stage, FIRST, SECOND)] == ["nothing", None]
    with pytest.raises(CannotMake, match="2025-01-03 has nothing"):
        run(Numbers(lake, {THIRD: 0}), THIRD)
    assert Numbers(lake, {}).tables["numbers"].fingerprint(THIRD) is None


def test_all_other_days_are_made_before_a_day_that_cannot_be_made_fails_the_run(lake):
    class WithMissingInput(Numbers):
        def inputs(self, day: date) -> list:
            if day == SECOND:
                raise CannotMake(f"{day} needs something")
            return super().inputs(day)

    stage, outcomes = WithMissingInput(lake, {FIRST: 1, THIRD: 3}), []
    with pytest.raises(CannotMake, match="2025-01-02 needs something"):
        outcomes.extend(make_days(stage, [FIRST, SECOND, THIRD], "run-1", single_partition=False))
    assert stage.made == [FIRST, THIRD]
    assert stage.tables["numbers"].row_counts() == {FIRST: 1, THIRD: 3}


class MissingInputReported(Numbers):
    """The same stage, which lacks an input of the second day and reports that in a range."""

    reports_missing_inputs = True

    def inputs(self, day: date) -> list:
        if day == SECOND:
            raise InputMissing(f"{day} needs something")
        return super().inputs(day)


def test_a_day_that_lacks_an_input_is_an_outcome_of_a_range_and_an_error_alone(lake):
    stage = MissingInputReported(lake, {FIRST: 1, THIRD: 3})
    outcomes = run(stage, FIRST, SECOND, THIRD)
    assert [(outcome.computed, outcome.problem) for outcome in outcomes] == [
        (True, None),
        (False, "2025-01-02 needs something"),
        (True, None),
    ]
    assert [describe_outcome(outcome) for outcome in outcomes] == ["computed", "not made", "computed"]
    with pytest.raises(CannotMake, match="2025-01-02 needs something"):
        run(stage, SECOND)


def test_a_day_that_lacks_an_input_stays_as_it_is_if_it_was_made(lake):
    run(Numbers(lake, {SECOND: 2}), SECOND)
    outcomes = run(MissingInputReported(lake, {FIRST: 1}), FIRST, SECOND)
    assert [describe_outcome(outcome) for outcome in outcomes] == ["computed", "unchanged"]
    assert Numbers(lake, {}).tables["numbers"].row_counts() == {FIRST: 1, SECOND: 2}


def test_a_side_table_loses_the_day_when_the_day_no_longer_has_rows_for_it(lake):
    run(Numbers(lake, {FIRST: 7, SECOND: 1}), FIRST, SECOND)
    stage = Numbers(lake, {FIRST: 2, SECOND: 1})
    assert stage.tables["large"].row_counts() == {FIRST: 7}
    run(stage, FIRST, SECOND)
    assert stage.tables["large"].row_counts() == {}
    assert stage.tables["large"].fingerprint(SECOND) is None


def test_a_side_table_that_holds_the_day_already_is_left_alone(lake):
    other, stage = Numbers(Lake(uri=lake.uri), {FIRST: 7}), Numbers(lake, {FIRST: 7})

    def commit_side_table(day: date) -> None:
        other.tables["large"].commit(
            {FIRST: other.make_day(FIRST, False).tables["large"]}, {FIRST: expected_fingerprint(other, FIRST)}
        )
        stage.tables["large"].refresh()

    stage.before_commit = commit_side_table
    assert run(stage, FIRST)[0].computed
    assert stage.tables["large"].version() == 1
    assert stage.tables["large"].row_counts() == stage.tables["numbers"].row_counts() == {FIRST: 7}


def test_the_next_run_completes_a_day_after_a_crash_between_its_two_tables(lake):
    run(Numbers(lake, {FIRST: 7}), FIRST)
    stage = Numbers(lake, {FIRST: 8})
    commit = stage.tables["numbers"].commit

    def die(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    stage.tables["numbers"].commit = die
    with pytest.raises(KeyboardInterrupt):
        run(stage, FIRST)
    assert stage.tables["numbers"].read([FIRST]).num_rows == 7
    stage.tables["numbers"].commit = commit
    assert run(stage, FIRST)[0].computed
    assert {name: table.read([FIRST]).num_rows for name, table in stage.tables.items()} == {"numbers": 8, "large": 8}


def test_a_day_that_another_process_made_from_the_same_input_is_taken_as_it_is(lake):
    stage, other = Numbers(lake, {FIRST: 2}), Numbers(Lake(uri=lake.uri), {FIRST: 2})
    stage.before_commit = lambda day: run(other, FIRST) and None
    assert not run(stage, FIRST)[0].computed
    assert len(stage.tables["numbers"].read([FIRST])) == 2


def test_a_writer_with_an_older_input_does_not_overwrite_a_newer_result(lake):
    older, newer = Numbers(lake, {FIRST: 2}), Numbers(Lake(uri=lake.uri), {FIRST: 3})

    def newer_publishes(day: date) -> None:
        if not newer.made:
            run(newer, FIRST)
            older.numbers = newer.numbers

    older.before_commit = newer_publishes
    assert not run(older, FIRST)[0].computed
    assert older.tables["numbers"].read([FIRST]).num_rows == 3


def test_only_the_conflicting_day_of_a_joint_commit_is_read_again(lake):
    numbers = {FIRST: 2, SECOND: 3, THIRD: 4}
    stage, other = Numbers(lake, numbers), Numbers(Lake(uri=lake.uri), numbers)
    stage.before_commit = lambda day: (day == SECOND and run(other, SECOND)) and None
    assert {outcome.day: outcome.computed for outcome in run(stage, FIRST, SECOND, THIRD)} == {
        FIRST: True,
        SECOND: False,
        THIRD: True,
    }
    assert stage.tables["numbers"].row_counts() == numbers


def test_many_days_share_few_commits(lake):
    days = [date(2025, 2, 1) + timedelta(days=number) for number in range(2 * DAYS_PER_COMMIT + 5)]
    stage = Numbers(lake, dict.fromkeys(days, 1))
    before = stage.tables["numbers"].version()
    assert len(run(stage, *days)) == len(days)
    assert stage.tables["numbers"].version() == before + 3


def test_an_input_that_changes_while_it_is_read_is_read_again(lake):
    stage = Numbers(lake, {FIRST: 2})

    def changed_once(day: date) -> None:
        if stage.numbers[day] == 2:
            stage.numbers[day] = 4
            raise InputChanged

    stage.before_commit = changed_once
    (outcome,) = run(stage, FIRST)
    assert (outcome.computed, outcome.rows["numbers"], stage.made) == (True, 4, [FIRST, FIRST])


def test_a_run_fails_when_an_input_changes_during_every_attempt(lake):
    stage = Numbers(lake, {FIRST: 2})

    def always_changed(day: date) -> None:
        raise InputChanged("again")

    stage.before_commit = always_changed
    with pytest.raises(InputChanged):
        run(stage, FIRST)
    assert len(stage.made) == 3
