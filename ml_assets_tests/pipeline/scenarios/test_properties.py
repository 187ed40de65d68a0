"""Properties of the pipeline: any sequence of changes, runs and interruptions ends as one clean pass; later data and
the split into files change no feature.
"""

import io
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.schemas import to_pandas
from ml_assets.pipeline.asset_names import FEATURES
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.engine.stage import CannotMake
from ml_assets.pipeline.graph.stages import StageBuilder
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import day, rows_of
from ml_assets_tests.support.lake_content import digests

LAST = 7
SPEC = ModelSpec.model_validate(
    {
        **SMALL,
        "label_delay": "1d",
        "features": [
            *SMALL["features"],
            {
                "kind": "window",
                "key": "card",
                "value": "label",
                "aggregates": ["mean"],
                "windows": ["1d"],
                "delay": "1d",
            },
        ],
        "training": {"window": "3d", "validation": "1d", "rounds": 2},
        "evaluation": {"holdout": "1d", "top_k": 5, "bootstrap_samples": 20},
    }
)
NUMBERS, ROWS = st.integers(1, LAST), 12


class Killed(BaseException):
    """An interruption that stands for the end of the process."""


class Place:
    """A landing and a lake in a directory, with stages that are opened again for each run, as by another process."""

    def __init__(self, lake: str = "lake", root: Path | None = None):
        self.root = root or Path(tempfile.mkdtemp())
        self.landing, self.lake = self.root / "landing", self.root / lake

    def land(self, number: int, rows: pd.DataFrame | bytes, name: str = "rows.parquet") -> None:
        """Put a file of a day there."""
        content = rows
        if isinstance(rows, pd.DataFrame):
            buffer = io.BytesIO()
            rows.to_csv(buffer, index=False) if name.endswith(".csv") else rows.to_parquet(buffer)
            content = buffer.getvalue()
        file = self.landing / str(day(number)) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def make(self, numbers: Iterable[int], stages: int = 4) -> None:
        """Make days of the first so many stages, as far as they can be made."""
        builder = StageBuilder(SPEC, Lake(uri=str(self.lake)), Landing(uri=str(self.landing)))
        days = [day(number) for number in numbers]
        for stage in [builder.ingestion, builder.validation, builder.features, builder.training()][:stages]:
            with suppress(CannotMake):
                list(make_days(stage, days, "run", single_partition=False))

    def features(self) -> pd.DataFrame:
        """Read all rows of features."""
        builder = StageBuilder(SPEC, Lake(uri=str(self.lake)), Landing(uri=str(self.landing)))
        return to_pandas(builder.features.tables[FEATURES].read([day(number) for number in range(1, LAST + 1)]))


def file_of(number: int, kind: str) -> pd.DataFrame | bytes:
    """Build a file of a day: good, with other values, fewer rows or bad ones, or truncated."""
    rows = rows_of(day(number), ROWS)
    if kind == "torn":
        return b"PAR1 torn"
    if kind == "fewer":
        return rows.iloc[:5]
    if kind == "other":
        return rows.assign(amount=rows["amount"] + 1)
    bad = {"good": 0, "one bad": 1, "all bad": ROWS}[kind]
    rows.loc[rows.index[:bad], "amount"] = -1.0
    return rows


class Materializations(RuleBasedStateMachine):
    """Somebody changes files, runs are made, repeated and die, in any order; in the end everything is made once
    more.
    """

    def __init__(self):
        super().__init__()
        self.place = Place()
        for number in range(1, LAST + 1):
            self.place.land(number, file_of(number, "good"))

    @rule(number=NUMBERS, kind=st.sampled_from(["good", "other", "fewer", "one bad", "all bad", "torn"]))
    def land(self, number: int, kind: str) -> None:
        self.place.land(number, file_of(number, kind))

    @rule(number=NUMBERS)
    def land_another_file(self, number: int) -> None:
        more = rows_of(day(number), 4)
        self.place.land(number, more.assign(id=more["id"] + 500), "more.csv")

    @rule(number=NUMBERS, name=st.sampled_from(["rows.parquet", "more.csv"]))
    def remove(self, number: int, name: str) -> None:
        (self.place.landing / str(day(number)) / name).unlink(missing_ok=True)

    @rule(first=NUMBERS, length=st.integers(1, LAST), stages=st.integers(1, 4))
    def run(self, first: int, length: int, stages: int) -> None:
        self.place.make(range(first, min(first + length, LAST + 1)), stages)

    @rule(first=NUMBERS, length=st.integers(1, LAST), moment=st.integers(0, 11))
    def die(self, first: int, length: int, moment: int) -> None:
        commit, moments = Table.commit, iter(range(1000))

        def dying(table: Table, *args: dict, **kwargs: dict) -> None:
            if next(moments) == moment:
                raise Killed
            commit(table, *args, **kwargs)
            if next(moments) == moment:
                raise Killed

        with patch.object(Table, "commit", dying), suppress(Killed):
            self.place.make(range(first, min(first + length, LAST + 1)))

    def teardown(self) -> None:
        self.place.make(range(1, LAST + 1))
        clean = Place("clean", self.place.root)
        clean.make(range(1, LAST + 1))
        stored, wanted = digests(self.place.lake, "small"), digests(clean.lake, "small")
        shutil.rmtree(self.place.root)
        assert {key for key in stored.keys() | wanted.keys() if stored.get(key) != wanted.get(key)} == set()


TestAnySequenceEndsAsOneCleanPass = Materializations.TestCase
TestAnySequenceEndsAsOneCleanPass.settings = settings(max_examples=3, stateful_step_count=5)


@settings(max_examples=4)
@given(moment=st.integers(0, 3 * 24 - 1), shift=st.floats(0.5, 3), drop=st.integers(0, 11))
def test_neither_later_rows_nor_labels_that_are_not_known_yet_change_a_feature(moment: int, shift: float, drop: int):
    now, place = pd.Timestamp(day(1)) + pd.Timedelta(hours=moment), Place()
    other = Place("other", Path(tempfile.mkdtemp()))
    for number in range(1, 5):
        rows = rows_of(day(number), ROWS)
        place.land(number, rows)
        later, unknown = rows["event_time"] > now, rows["event_time"] > now - SPEC.label_delay
        changed = rows.assign(
            amount=rows["amount"].where(~later, rows["amount"] * shift),
            label=rows["label"].where(~unknown, 1 - rows["label"]),
        )
        other.land(number, changed[~later | (changed.index != drop)])
    for world in (place, other):
        world.make(range(1, 5), stages=3)
    known = [world.features().drop(columns="label") for world in (place, other)]
    before, after = (rows[rows["event_time"] <= now.tz_localize("UTC")] for rows in known)
    for world in (place, other):
        shutil.rmtree(world.root)
    pd.testing.assert_frame_equal(before, after, check_exact=True)


@settings(max_examples=4)
@given(random=st.randoms(use_true_random=False), files=st.integers(1, 4), form=st.sampled_from(["parquet", "csv"]))
def test_neither_the_order_of_rows_nor_their_cut_into_files_changes_a_feature(random, files: int, form: str):
    place, other = Place(), Place("other", Path(tempfile.mkdtemp()))
    for number in range(1, 4):
        rows = file_of(number, "one bad")
        # Rows of the same moment, too.
        rows["event_time"] = rows["event_time"].dt.floor("6h")
        place.land(number, rows)
        order = random.sample(range(ROWS), ROWS)
        for file in range(files):
            part = rows.iloc[order[file::files]]
            other.land(number, part, f"{random.randrange(10**6)}-{file}.{form}")
    for world in (place, other):
        world.make(range(1, 4), stages=3)
    wanted, stored = (digests(world.lake, "small") for world in (place, other))
    for world in (place, other):
        shutil.rmtree(world.root)
    assert {key: value for key, value in stored.items() if key[0] == FEATURES} == {
        key: value for key, value in wanted.items() if key[0] == FEATURES
    }
    assert any(name == FEATURES for name, _ in wanted)
