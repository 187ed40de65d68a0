"""A day that is made again and comes out the same keeps its fingerprint, so nothing behind it is made; the lake ends as
after one clean pass.
"""

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.tables.fingerprint import CHANGED_CODE, CHANGED_INPUT, EXPIRED, why_changed
from ml_assets.pipeline.engine.day_state import expected_fingerprint, is_current
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.engine.stage import CannotMake, DayByDay, DayOutcome, StageOutput
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.planned_lake import PlannedLake
from ml_assets.resources.lake.vacuum import commits_of

SCHEMA = pa.schema([("n", pa.int64())])
DAYS = [date(2025, 1, 1) + timedelta(days=n) for n in range(5)]
FIRST, SECOND = DAYS[:2]


class Limited(DayByDay):
    """A stage whose rows of a day are the landed numbers up to a maximum; the others go to a side table."""

    name = "accepted"

    def __init__(
        self,
        lake: Lake,
        landed: dict[date, list[int]],
        maximum: int = 10,
        code: str = "v1",
        outside: bool = False,
        unread: bool = True,
    ):
        self.landed, self.code, self.spec_part, self.made = landed, code, maximum, []
        self._acts = {"has_side_effects": outside, "unread_tables": {"refused"} if unread else ()}
        self.tables = {name: lake.table("m", name, SCHEMA) for name in ("refused", "accepted")}
        self.before_commit = lambda: None

    def refresh(self) -> None: ...

    def inputs(self, day: date) -> list:
        return [self.landed.get(day, [])]

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        self.made.append(day)
        self.before_commit()
        good = [n for n in self.landed.get(day, []) if n <= self.spec_part]
        bad = [n for n in self.landed.get(day, []) if n > self.spec_part]
        return StageOutput(
            {"refused": pa.table({"n": bad}, SCHEMA), "accepted": pa.table({"n": good}, SCHEMA)}, **self._acts
        )


class Sums(DayByDay):
    """A downstream stage: the sum of a day and the day before."""

    name, code, spec_part = "sums", "v1", None

    def __init__(self, lake: Lake):
        self.tables, self._read = {"sums": lake.table("m", "sums", SCHEMA)}, lake.table("m", "accepted", SCHEMA)

    def refresh(self) -> None:
        self._read.refresh()

    def inputs(self, day: date) -> list:
        if self._read.fingerprint(day) is None:
            raise CannotMake(f"{day} was never made")
        return [self._read.fingerprint(day), self._read.fingerprint(day - timedelta(days=1))]

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        total = sum(self._read.read([day - timedelta(days=1), day])["n"].to_pylist())
        return StageOutput({"sums": pa.table({"n": [total]}, SCHEMA)})


def run(stage, *days: date) -> dict[date, DayOutcome]:
    return {outcome.day: outcome for outcome in make_days(stage, days, "run-1", single_partition=False)}


def content(lake: Lake, name: str) -> list[list[int]]:
    table = Lake(uri=lake.uri, s3=lake.s3).table("m", name, SCHEMA)
    return [table.read([day])["n"].to_pylist() for day in DAYS]


def test_a_day_that_comes_out_the_same_keeps_its_fingerprint_and_says_why_it_was_made(lake):
    before = run(Limited(lake, {FIRST: [1, 2], SECOND: [3]}), FIRST, SECOND)
    files = Limited(lake, {}).tables["accepted"].delta.file_uris()
    edited = Limited(lake, {FIRST: [1, 2], SECOND: [3, 4]}, code="v2")
    after = run(edited, FIRST, SECOND)
    assert edited.made == [FIRST, SECOND]
    assert (after[FIRST].computed, after[FIRST].fingerprint) == (False, before[FIRST].fingerprint)
    assert after[FIRST].metadata == {"made_again": f"{CHANGED_CODE}; the rows came out the same"}
    assert after[SECOND].computed
    assert len(set(edited.tables["accepted"].delta.file_uris()) & set(files)) == 1
    assert is_current(edited, FIRST)
    assert is_current(Limited(lake, {FIRST: [1, 2]}), FIRST)
    again = Limited(Lake(uri=lake.uri, s3=lake.s3), edited.landed, code="v2")
    assert not any(outcome.computed for outcome in run(again, FIRST, SECOND).values())
    assert again.made == []


def test_only_the_newest_input_fingerprint_counts_and_says_what_changed_since(lake):
    for code in ("v1", "v2", "v3"):
        run(Limited(lake, {FIRST: [1]}, code=code), FIRST)
    assert [is_current(Limited(lake, {FIRST: [1]}, code=code), FIRST) for code in ("v1", "v2", "v3")] == [
        True,
        False,
        True,
    ]
    other = Limited(lake, {FIRST: [1, 2]}, code="v3")
    assert why_changed(other.tables["accepted"].input_fingerprint(FIRST), expected_fingerprint(other, FIRST)) == (
        CHANGED_INPUT,
    )


def test_a_real_change_overrides_the_input_fingerprint_of_the_rows_before(lake):
    first, edited = Limited(lake, {FIRST: [1]}), Limited(lake, {FIRST: [1]}, code="v2")
    run(first, FIRST)
    run(edited, FIRST)
    assert run(Limited(lake, {FIRST: [1, 5]}), FIRST)[FIRST].computed
    assert not is_current(edited, FIRST)
    assert run(edited, FIRST)[FIRST].computed
    assert content(lake, "accepted")[0] == [1]


def test_a_removed_day_has_no_input_fingerprint(lake):
    run(Limited(lake, {FIRST: [1]}), FIRST)
    edited = Limited(lake, {FIRST: [1]}, code="v2")
    run(edited, FIRST)
    edited.tables["accepted"].expire([FIRST], {})
    assert edited.tables["accepted"].input_fingerprint(FIRST) == edited.tables["accepted"].fingerprint(FIRST) == EXPIRED
    assert not is_current(edited, FIRST)
    assert run(edited, FIRST)[FIRST].computed


def test_side_rows_that_differ_are_committed_and_those_that_do_not_are_left_alone(lake):
    run(Limited(lake, {FIRST: [1, 20], SECOND: [2, 30]}), FIRST, SECOND)
    edited = Limited(lake, {FIRST: [1, 20], SECOND: [2, 30, 40]}, code="v2")
    before = edited.tables["refused"].version()
    outcomes = run(edited, FIRST, SECOND)
    assert not any(outcome.computed for outcome in outcomes.values())
    assert content(lake, "refused")[:2] == [[20], [30, 40]]
    assert list(commits_of(edited.tables["refused"])[-1].fingerprints) == [SECOND]
    assert edited.tables["refused"].version() == before + 1


def test_a_changed_side_table_that_others_read_is_a_change_too(lake):
    run(Limited(lake, {FIRST: [1, 20], SECOND: [2, 30]}, unread=False), FIRST, SECOND)
    outcomes = run(Limited(lake, {FIRST: [1, 20], SECOND: [2, 30, 40]}, code="v2", unread=False), FIRST, SECOND)
    assert [outcomes[day].computed for day in (FIRST, SECOND)] == [False, True]


def test_what_was_done_outside_of_the_lake_counts_as_a_change(lake):
    run(Limited(lake, {FIRST: [1]}, outside=True), FIRST)
    edited = Limited(lake, {FIRST: [1]}, code="v2", outside=True)
    assert run(edited, FIRST)[FIRST].computed
    assert not is_current(Limited(lake, {FIRST: [1]}), FIRST)


def test_another_order_and_another_zero_are_changes(lake):
    run(Limited(lake, {FIRST: [1, 2]}), FIRST)
    assert run(Limited(lake, {FIRST: [2, 1]}), FIRST)[FIRST].computed
    schema = pa.schema([("x", pa.float64())])
    table, rows = lake.table("m", "x", schema), pa.table({"x": [0.0, np.nan, None]}, schema)
    table.commit({FIRST: rows}, {FIRST: 7})
    assert table.has_rows(FIRST, rows)
    assert not table.has_rows(FIRST, pa.table({"x": [-0.0, np.nan, None]}, schema))
    assert not table.has_rows(FIRST, pa.table({"x": [0.0, None, None]}, schema))


def test_values_of_a_column_that_the_specification_no_longer_has_are_a_change(lake):
    both = pa.schema([*SCHEMA, ("name", pa.string())])
    lake.table("m", "accepted", both).commit({FIRST: pa.table({"n": [1], "name": ["x"]}, both)}, {FIRST: 7})
    outcome = run(Limited(Lake(uri=lake.uri, s3=lake.s3), {FIRST: [1]}), FIRST)[FIRST]
    assert outcome.computed
    assert Lake(uri=lake.uri, s3=lake.s3).table("m", "accepted", both).read([FIRST])["name"].to_pylist() == [None]


@pytest.mark.parametrize("landed", [[1], [1, 2]])
def test_of_two_processes_that_make_the_same_day_the_second_checks_again(tmp_path, landed):
    run(Limited(Lake(uri=str(tmp_path)), {FIRST: [1]}), FIRST)
    slow, fast = (
        Limited(Lake(uri=str(tmp_path)), {FIRST: [1]}, code="v2"),
        Limited(Lake(uri=str(tmp_path)), {FIRST: landed}, code="v2"),
    )

    def other_commits() -> None:
        if not fast.made:
            run(fast, FIRST)

    slow.before_commit = other_commits
    run(slow, FIRST)
    assert content(Lake(uri=str(tmp_path)), "accepted")[0] == [1]
    assert is_current(slow, FIRST)
    assert slow.made == [FIRST] * len(landed)


def test_input_fingerprints_survive_checkpoints_and_are_read_by_a_plan(lake):
    for number in range(25):
        run(Limited(lake, {FIRST: [1], SECOND: [number]}, code=f"v{number}"), FIRST, SECOND)
    opened = Limited(Lake(uri=lake.uri, s3=lake.s3), {FIRST: [1]}, code="v24")
    assert is_current(opened, FIRST)
    planned = PlannedLake(uri=lake.uri, s3=lake.s3).table("m", "accepted", SCHEMA)
    assert planned.holds(FIRST, expected_fingerprint(opened, FIRST))


LANDED = st.dictionaries(st.sampled_from(DAYS), st.lists(st.integers(1, 6), max_size=3), max_size=2)
STEPS = st.lists(
    st.tuples(LANDED, st.integers(2, 6), st.sampled_from(["v1", "v2"]), st.sets(st.sampled_from(DAYS))), max_size=6
)


@pytest.mark.slow
@given(STEPS)
def test_any_sequence_of_changes_ends_as_after_one_clean_pass(steps):
    with TemporaryDirectory() as folder:
        lake, landed, maximum, code = Lake(uri=f"{folder}/lake"), {day: [1, 3, 5] for day in DAYS}, 6, "v1"
        for changed, maximum, code, days in [({}, 6, "v1", set(DAYS)), *steps]:
            landed |= changed
            before = content(lake, "accepted")
            run(Limited(lake, landed, maximum, code), *days)
            differ = {day for day, old, new in zip(DAYS, before, content(lake, "accepted"), strict=True) if old != new}
            seeing = differ | {day + timedelta(days=1) for day in differ}
            stage = Sums(lake)
            new = {day for day in DAYS if stage.tables["sums"].fingerprint(day) is None}
            outcomes = run(stage, *DAYS)
            assert {
                day for day, outcome in outcomes.items() if outcome.computed or "made_again" in outcome.metadata
            } <= seeing | new
        run(Limited(lake, landed, maximum, code), *DAYS)
        run(Sums(lake), *DAYS)
        clean = Lake(uri=f"{folder}/clean")
        run(Limited(clean, landed, maximum, code), *DAYS)
        run(Sums(clean), *DAYS)
        assert [content(lake, name) for name in ("accepted", "refused", "sums")] == [
            content(clean, name) for name in ("accepted", "refused", "sums")
        ]
        assert Path(folder, "clean").is_dir()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(uri=str(tmp_path))
