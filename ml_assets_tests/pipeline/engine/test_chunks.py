"""Days are made in chunks that fit into the budget, and come out as if each had been made by itself."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.pipeline.engine.chunks import ChunkSettings
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.engine.run_guard import RunEnded
from ml_assets.pipeline.engine.stage import CannotMake, DayOutcome, InputChanged, StageOutput
from ml_assets.resources.lake.lake import Lake

SCHEMA = pa.schema([("total", pa.int64())])
DAYS = [date(2025, 1, 1) + timedelta(days=number) for number in range(8)]


class RunningTotals:
    """A stage of chunks: the total of the numbers of a day and the day before; a day takes ten bytes."""

    name, code, spec_part = "totals", "v1", {}

    def __init__(self, lake: Lake, numbers: Sequence[int]):
        self.numbers = dict(zip(DAYS, numbers, strict=False))
        self.tables = {"totals": lake.table("m", "totals", SCHEMA)}
        self.chunks: list[int] = []

    def refresh(self) -> None:
        """Nothing is cached."""

    def inputs(self, day: date) -> list:
        return [self.numbers[day], self.numbers.get(day - timedelta(days=1))]

    def memory(self, days: Sequence[date]) -> int:
        return 10 * len(days)

    def make(self, days: Sequence[date], single_partition: bool) -> Iterator[StageOutput]:
        self.chunks.append(len(days))
        return (self._output(day, len(days)) for day in days)

    def _output(self, day: date, days: int) -> StageOutput:
        number = self.numbers[day]
        if number < 0:
            raise CannotMake(f"{day} is negative")
        if number == 13 and days > 1:
            raise InputChanged("a file was replaced")
        total = number + max(self.numbers.get(day - timedelta(days=1), 0), 0)
        return StageOutput({"totals": pa.table({"total": [total]}, SCHEMA)})


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(uri=str(tmp_path))


def run(stage: RunningTotals, days: Sequence[date] = DAYS, memory: int = 30, **settings) -> list[DayOutcome]:
    return list(make_days(stage, days, "run", single_partition=False, chunks=ChunkSettings(memory), **settings))


def totals(stage: RunningTotals) -> list:
    return stage.tables["totals"].read(DAYS)["total"].to_pylist()


def test_a_chunk_has_as_many_days_as_fit_into_the_budget(lake):
    stage = RunningTotals(lake, range(8))
    assert [outcome.day for outcome in run(stage)] == DAYS
    assert stage.chunks == [3, 3, 2]
    assert totals(stage) == [0, 1, 3, 5, 7, 9, 11, 13]


def test_a_day_larger_than_the_budget_is_made_by_itself(lake):
    stage = RunningTotals(lake, range(8))
    run(stage, memory=5)
    assert stage.chunks == [1] * 8


def test_a_current_day_and_a_gap_end_a_chunk(lake):
    stage = RunningTotals(lake, range(8))
    run(stage, DAYS[2:3])
    stage.chunks.clear()
    run(stage, [*DAYS[:5], *DAYS[6:]], memory=100)
    assert stage.chunks == [2, 2, 2]


def test_only_the_day_at_fault_of_a_chunk_fails(lake):
    stage = RunningTotals(lake, [1, 2, -3, 4, 5, 6, 7, 8])
    with pytest.raises(CannotMake, match="2025-01-03 is negative"):
        run(stage, memory=100)
    assert totals(stage) == [1, 3, 4, 9, 11, 13, 15]
    assert stage.chunks == [8, *[1] * 6]


def test_a_chunk_whose_input_changes_is_made_day_by_day_from_the_newest(lake):
    stage = RunningTotals(lake, [13, 1, 2, 3, 4, 5, 6, 7])
    run(stage, memory=40)
    assert stage.chunks == [4, 1, 1, 1, 1, 4]


def test_an_error_of_the_code_ends_a_chunk_at_once(lake):
    stage = RunningTotals(lake, [1, 2, None, 4, 5, 6, 7, 8])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        run(stage, memory=40)
    assert stage.chunks == [4]


def test_days_that_another_process_commits_meanwhile_are_made_from_the_newest_inputs(lake, monkeypatch):
    monkeypatch.setattr("ml_assets.pipeline.engine.materialize_days.DAYS_PER_COMMIT", 1)
    stage, other = RunningTotals(lake, [1] * 8), RunningTotals(lake, [5] * 8)
    outcomes = make_days(stage, DAYS, "run", single_partition=False, chunks=ChunkSettings(100))
    next(outcomes)
    run(other, DAYS[1:2])
    stage.numbers = other.numbers
    list(outcomes)
    assert stage.chunks == [8, *[1] * 6]
    assert totals(stage) == [1, *[10] * 7]


class OneDayLeft:
    """A guard whose time is over when it is asked for the second time."""

    calls = 0

    def check_before_publishing(self) -> None:
        """Allow it."""

    def time_limit_error(self) -> RunEnded | None:
        self.calls += 1
        return RunEnded("the time is over") if self.calls == 2 else None


def test_the_time_limit_ends_a_chunk_and_what_was_made_is_committed(lake):
    stage = RunningTotals(lake, range(8))
    with pytest.raises(RunEnded, match="the time is over"):
        run(stage, memory=100, guard=OneDayLeft())
    assert totals(stage) == [0, 1]


@given(numbers=st.lists(st.integers(-2, 14), min_size=8, max_size=8), memory=st.integers(1, 100))
def test_tables_and_fingerprints_do_not_depend_on_the_budget(tmp_path_factory, numbers, memory):
    results = []
    for budget in (1, memory):
        stage = RunningTotals(Lake(uri=str(tmp_path_factory.mktemp("lake"))), numbers)
        try:
            run(stage, memory=budget)
        except CannotMake as error:
            results.append(str(error))
        results.append([totals(stage), [stage.tables["totals"].fingerprint(day) for day in DAYS]])
    assert results[: len(results) // 2] == results[len(results) // 2 :]
