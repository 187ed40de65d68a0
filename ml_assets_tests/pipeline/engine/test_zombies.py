"""A superseded run does not overwrite results of newer inputs, and publishes nothing once it has ended."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.test_utils import create_run_for_test
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.engine import materialize_days as engine
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.engine.run_guard import RunEnded, RunGuard
from ml_assets.pipeline.engine.stage import DayByDay, StageOutput
from ml_assets.pipeline.graph.stages import open_stages
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import World

SCHEMA = pa.schema([("n", pa.int64())])
FIRST, SECOND, THIRD = (date(2025, 1, day) for day in (1, 2, 3))


class Numbers(DayByDay):
    """A stage with as many rows a day as the day's number at the last refresh, and a side table for even numbers."""

    name, code, spec_part = "numbers", "v1", {}

    def __init__(self, uri: str, world: dict[date, int]):
        lake = Lake(uri=uri)
        self.world, self.numbers = world, dict(world)
        self.tables: dict[str, Table] = {
            "even": lake.table("m", "even", SCHEMA),
            "numbers": lake.table("m", "numbers", SCHEMA),
        }
        self.before_commit = lambda: None

    def refresh(self) -> None:
        self.numbers = dict(self.world)

    def inputs(self, day: date) -> list:
        return [self.numbers[day]]

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        number = self.numbers[day]
        self.before_commit()
        rows = pa.table({"n": [number] * number}, SCHEMA)
        return StageOutput(
            {"even": rows if number % 2 == 0 else SCHEMA.empty_table(), "numbers": rows}, unread_tables={"even"}
        )


def run(stage: Numbers, *days: date) -> Iterator:
    return make_days(stage, days, "run", single_partition=False)


def rows_in_lake(uri: str) -> dict[str, dict[date, int]]:
    return {name: Lake(uri=uri).table("m", name, SCHEMA).row_counts() for name in ("numbers", "even")}


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return str(tmp_path)


def superseded_run(uri: str, monkeypatch):
    """Return the landed numbers, and a run that has committed the first of three days when another run makes the third
    from newer inputs.
    """
    monkeypatch.setattr(engine, "DAYS_PER_COMMIT", 1)
    world = {FIRST: 3, SECOND: 5, THIRD: 7}
    late = run(Numbers(uri, world), FIRST, SECOND, THIRD)
    next(late)
    world |= {THIRD: 9}
    list(run(Numbers(uri, world), THIRD))
    return world, late


def test_a_superseded_run_does_not_overwrite_a_later_day_that_was_made_from_newer_inputs(uri, monkeypatch):
    _, zombie = superseded_run(uri, monkeypatch)
    # The second day has no conflict; its commit opens the version of the table that has the newer third day.
    assert [outcome.computed for outcome in zombie] == [True, False]
    assert rows_in_lake(uri)["numbers"] == {FIRST: 3, SECOND: 5, THIRD: 9}


def test_a_superseded_run_reads_newer_inputs_and_not_only_newer_results(uri, monkeypatch):
    world, late = superseded_run(uri, monkeypatch)
    world |= {THIRD: 11}
    assert [outcome.computed for outcome in late] == [True, True]
    assert rows_in_lake(uri)["numbers"][THIRD] == 11


def test_rows_that_a_superseded_run_committed_to_a_side_table_are_replaced(uri):
    world = {FIRST: 4}
    late, newer = Numbers(uri, world), Numbers(uri, world)

    def newer_publishes() -> None:
        late.before_commit = lambda: None
        world[FIRST] = 5
        newer.refresh()
        list(run(newer, FIRST))

    late.before_commit = newer_publishes
    # Five is odd, so the newer run commits nothing to the side table, and nothing there refuses the rows of four.
    list(run(late, FIRST))
    assert rows_in_lake(uri) == {"numbers": {FIRST: 5}, "even": {}}


DAYS = (FIRST, SECOND, THIRD)
# Either a step of one of two runs over all days, or new inputs of a day and optionally a run that makes it.
STEPS = st.one_of(st.sampled_from(["a", "b"]), st.tuples(st.sampled_from(DAYS), st.booleans()))


@settings(suppress_health_check=list(HealthCheck))
@example(steps=["a", (THIRD, True), "a", "a"], per_commit=1)
@given(steps=st.lists(STEPS, max_size=12), per_commit=st.integers(1, 2))
def test_no_day_goes_back_to_older_inputs_however_runs_and_new_inputs_alternate(steps, per_commit):
    commit, published = Table.commit, {}

    def commit_and_check(table: Table, rows, *args, **kwargs) -> None:
        commit(table, rows, *args, **kwargs)
        if table.uri.endswith("numbers"):
            for day, day_rows in rows.items():
                assert day_rows.num_rows >= published.get(day, 0), (
                    f"{day} went back from {published[day]} to {day_rows.num_rows}"
                )
                published[day] = day_rows.num_rows

    with (
        TemporaryDirectory() as folder,
        patch.object(engine, "DAYS_PER_COMMIT", per_commit),
        patch.object(Table, "commit", commit_and_check),
    ):
        world = dict.fromkeys(DAYS, 1)
        runs = {name: run(Numbers(folder, world), *DAYS) for name in ("a", "b")}
        for step in steps:
            if isinstance(step, str):
                next(runs[step], None)
                continue
            day, is_made = step
            world[day] += 1
            if is_made:
                list(run(Numbers(folder, world), day))
        for remaining_days in runs.values():
            list(remaining_days)
        list(run(Numbers(folder, world), *DAYS))
        assert rows_in_lake(folder)["numbers"] == world


def test_refreshing_the_inputs_of_a_stage_does_not_refresh_its_own_table(tmp_path):
    spec = ModelSpec.model_validate({**CHECKED, "training": {**CHECKED["training"], "search": {"trials": 2}}})
    world = World(tmp_path, spec)
    stages = open_stages(spec, world.lake, world.landing, world.registry)
    for stage in (
        *stages.up_to_validation(),
        stages.features,
        *stages.search_to_registration(),
        *stages.release_stages(),
    ):
        main = stage.tables[stage.name]
        before = main.version()
        other = Lake(uri=world.lake.uri).table(spec.name, stage.name, main.schema.remove(0))
        other.commit({FIRST: main.schema.remove(0).empty_table()}, {FIRST: 7})
        stage.refresh()
        assert main.version() == before, stage.name
        main.refresh()
        assert main.version() == before + 1


def make_guard(instance: dg.DagsterInstance, run_id: str, **options) -> RunGuard:
    return RunGuard(instance, run_id, timedelta(minutes=10), **options)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (dg.DagsterInstance.report_run_canceled, "CANCELED"),
        (dg.DagsterInstance.report_run_canceling, "CANCELING"),
        (dg.DagsterInstance.report_run_failed, "FAILURE"),
    ],
)
def test_a_run_that_dagster_counts_as_ended_publishes_nothing_more(uri, end, status, monkeypatch):
    monkeypatch.setattr(engine, "DAYS_PER_COMMIT", 1)
    with dg.DagsterInstance.ephemeral() as instance:
        record = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
        outcomes = make_days(
            Numbers(uri, {FIRST: 3, SECOND: 5}),
            [FIRST, SECOND],
            record.run_id,
            False,
            make_guard(instance, record.run_id),
        )
        assert next(outcomes).computed
        end(instance, record)
        with pytest.raises(RunEnded, match=f"run {record.run_id} is {status} for Dagster"):
            next(outcomes)
    assert rows_in_lake(uri)["numbers"] == {FIRST: 3}


def test_a_step_commits_what_it_has_made_and_stops_when_its_time_is_over(uri):
    with dg.DagsterInstance.ephemeral() as instance:
        moments = iter([0.0, 590.0, 601.0])
        guard = make_guard(instance, "an unknown run", clock=lambda: next(moments))
        with pytest.raises(RunEnded, match="ran longer than 10m, the max_runtime"):
            list(make_days(Numbers(uri, {FIRST: 3, SECOND: 5, THIRD: 7}), [FIRST, SECOND, THIRD], "run", False, guard))
    assert rows_in_lake(uri)["numbers"] == {FIRST: 3, SECOND: 5}
