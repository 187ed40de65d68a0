"""A run that went on though others took its place publishes nothing over what they made from newer inputs, and nothing
once it has ended.
"""

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
from ml_assets.pipeline.engine.run_guard import RunGuard, RunOver
from ml_assets.pipeline.engine.stage import StageOutput
from ml_assets.pipeline.graph.stages import open_stages
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import World

SCHEMA = pa.schema([("n", pa.int64())])
FIRST, SECOND, THIRD = (date(2025, 1, day) for day in (1, 2, 3))


class Numbers:
    """Days made of numbers as they were when the stage looked last: as many rows as the number, and a side table with
    those of even numbers.
    """

    name, code, spec_part = "numbers", "v1", {}

    def __init__(self, uri: str, world: dict[date, int]):
        lake = Lake(uri=uri)
        self.world, self.seen = world, dict(world)
        self.tables: dict[str, Table] = {
            "even": lake.table("m", "even", SCHEMA),
            "numbers": lake.table("m", "numbers", SCHEMA),
        }
        self.meanwhile = lambda: None

    def refresh(self) -> None:
        self.seen = dict(self.world)

    def inputs(self, day: date) -> list:
        return [self.seen[day]]

    def make(self, day: date, single_partition: bool) -> StageOutput:
        number = self.seen[day]
        self.meanwhile()
        rows = pa.table({"n": [number] * number}, SCHEMA)
        return StageOutput(
            {"even": rows if number % 2 == 0 else SCHEMA.empty_table(), "numbers": rows}, unread={"even"}
        )


def run(stage: Numbers, *days: date) -> Iterator:
    return make_days(stage, days, "run", single_partition=False)


def held(uri: str) -> dict[str, dict[date, int]]:
    return {name: Lake(uri=uri).table("m", name, SCHEMA).row_counts() for name in ("numbers", "even")}


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return str(tmp_path)


def overtaken(uri: str, monkeypatch):
    """What has landed, and a run that has committed the first of three days when another one makes the third from newer
    inputs.
    """
    monkeypatch.setattr(engine, "DAYS_PER_COMMIT", 1)
    world = {FIRST: 3, SECOND: 5, THIRD: 7}
    late = run(Numbers(uri, world), FIRST, SECOND, THIRD)
    next(late)
    world |= {THIRD: 9}
    list(run(Numbers(uri, world), THIRD))
    return world, late


def test_a_late_run_that_has_committed_does_not_publish_a_later_day_over_one_from_newer_inputs(uri, monkeypatch):
    _, zombie = overtaken(uri, monkeypatch)
    # Nobody contests the second day; its commit opens the version of the table that has the newer third day.
    assert [outcome.computed for outcome in zombie] == [True, False]
    assert held(uri)["numbers"] == {FIRST: 3, SECOND: 5, THIRD: 9}


def test_a_late_run_finds_newer_inputs_and_not_only_newer_results(uri, monkeypatch):
    world, late = overtaken(uri, monkeypatch)
    world |= {THIRD: 11}
    assert [outcome.computed for outcome in late] == [True, True]
    assert held(uri)["numbers"][THIRD] == 11


def test_rows_that_a_late_run_left_in_a_side_table_are_made_good(uri):
    world = {FIRST: 4}
    late, newer = Numbers(uri, world), Numbers(uri, world)

    def newer_publishes() -> None:
        late.meanwhile = lambda: None
        world[FIRST] = 5
        newer.refresh()
        list(run(newer, FIRST))

    late.meanwhile = newer_publishes
    # Of five, the newer run has nothing for the side table, so nothing there refuses the rows of four.
    list(run(late, FIRST))
    assert held(uri) == {"numbers": {FIRST: 5}, "even": {}}


DAYS = (FIRST, SECOND, THIRD)
# A step of one of two runs over all days, or new inputs of a day and, perhaps, a run that makes it.
STEPS = st.one_of(st.sampled_from(["a", "b"]), st.tuples(st.sampled_from(DAYS), st.booleans()))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@example(steps=["a", (THIRD, True), "a", "a"], per_commit=1)
@given(steps=st.lists(STEPS, max_size=12), per_commit=st.integers(1, 2))
def test_however_runs_and_new_inputs_alternate_no_day_goes_back(steps, per_commit):
    commit, published = Table.commit, {}

    def watched(table: Table, rows, *args, **kwargs) -> None:
        commit(table, rows, *args, **kwargs)
        if table.uri.endswith("numbers"):
            for day, of_day in rows.items():
                assert of_day.num_rows >= published.get(day, 0), (
                    f"{day} went back from {published[day]} to {of_day.num_rows}"
                )
                published[day] = of_day.num_rows

    with (
        TemporaryDirectory() as folder,
        patch.object(engine, "DAYS_PER_COMMIT", per_commit),
        patch.object(Table, "commit", watched),
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
        for left in runs.values():
            list(left)
        list(run(Numbers(folder, world), *DAYS))
        assert held(folder)["numbers"] == world


def test_no_stage_sees_newer_days_of_its_own_when_it_looks_at_its_inputs(tmp_path):
    spec = ModelSpec.model_validate({**CHECKED, "training": {**CHECKED["training"], "search": {"trials": 2}}})
    world = World(tmp_path, spec)
    stages = open_stages(spec, world.lake, world.landing, world.registry)
    for stage in (*stages.of_landed(), stages.features, *stages.of_model(), *stages.of_live()):
        main = stage.tables[stage.name]
        before = main.version()
        other = Lake(uri=world.lake.uri).table(spec.name, stage.name, main.schema.remove(0))
        other.commit({FIRST: main.schema.remove(0).empty_table()}, {FIRST: 7})
        stage.refresh()
        assert main.version() == before, stage.name
        main.refresh()
        assert main.version() == before + 1


def guard_of(instance: dg.DagsterInstance, run_id: str, **more) -> RunGuard:
    return RunGuard(instance, run_id, timedelta(minutes=10), **more)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (dg.DagsterInstance.report_run_canceled, "CANCELED"),
        (dg.DagsterInstance.report_run_canceling, "CANCELING"),
        (dg.DagsterInstance.report_run_failed, "FAILURE"),
    ],
)
def test_a_run_that_has_ended_for_dagster_publishes_nothing_more(uri, end, status, monkeypatch):
    monkeypatch.setattr(engine, "DAYS_PER_COMMIT", 1)
    with dg.DagsterInstance.ephemeral() as instance:
        record = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
        going = make_days(
            Numbers(uri, {FIRST: 3, SECOND: 5}),
            [FIRST, SECOND],
            record.run_id,
            False,
            guard_of(instance, record.run_id),
        )
        assert next(going).computed
        end(instance, record)
        with pytest.raises(RunOver, match=f"run {record.run_id} is {status} for Dagster"):
            next(going)
    assert held(uri)["numbers"] == {FIRST: 3}


def test_a_step_that_has_had_its_time_commits_what_it_made_and_goes_no_further(uri):
    with dg.DagsterInstance.ephemeral() as instance:
        moments = iter([0.0, 590.0, 601.0])
        guard = guard_of(instance, "a run that nobody knows", clock=lambda: next(moments))
        with pytest.raises(RunOver, match="ran longer than 10m; max_runtime"):
            list(make_days(Numbers(uri, {FIRST: 3, SECOND: 5, THIRD: 7}), [FIRST, SECOND, THIRD], "run", False, guard))
    assert held(uri)["numbers"] == {FIRST: 3, SECOND: 5}
