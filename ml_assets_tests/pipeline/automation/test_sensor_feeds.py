"""The sensor follows the files of labels beside those of rows, and reports changes of closed days instead of requesting
them.
"""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pandas as pd
import pytest

from ml_assets.core.ingestion.sensor_cursor import SensorCursor
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LABEL_ASSETS, landed_to_features
from ml_assets.pipeline.automation import arrivals_sensor as arrivals_sensor_module
from ml_assets.pipeline.automation.arrivals_sensor import Look, arrivals_sensor, look, standing_in
from ml_assets.pipeline.automation.jobs import features_job
from ml_assets.pipeline.graph.assets import asset_key
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, rows_of
from ml_assets_tests.support.clock import stop_clock

TODAY = date(2025, 3, 31)
NOW = datetime(2025, 3, 31, 12, tzinfo=UTC)
TARGET_WINDOW = {
    "kind": "window",
    "key": "card",
    "value": "label",
    "aggregates": ["mean"],
    "windows": ["1d"],
    "delay": "2d",
}
LABELLED = {**SMALL, "labels": {"files": "labels/{day}/*", "key": ["id"]}, "sensor": {"look_back": "10d"}}
REFUSING = {**SMALL, "sensor": {"look_back": "10d"}, "late_data": {"open_for": "2d", "afterwards": "refuse"}}
SEEN_BY_FEATURES = {**LABELLED, "features": [*SMALL["features"], TARGET_WINDOW]}


def day(back: int) -> date:
    return TODAY - timedelta(days=back)


class Follower:
    """A world that a sensor looks at, and what it remembers."""

    def __init__(self, root, attributes: dict):
        self.world, self.state = World(root, ModelSpec.model_validate(attributes)), SensorCursor()

    def rows(self, *backs: int) -> None:
        for back in backs:
            self.world.land(day(back), rows_of(day(back)).drop(columns="label" if self.world.spec.labels else []))

    def labels(self, back: int, of: int, value: int = 1) -> None:
        rows = rows_of(day(of)).head(5)
        labels = pd.DataFrame({"id": rows["id"], "label": value, "known_at": pd.Timestamp(day(back), tz="UTC")})
        self.world.land_at(f"labels/{day(back)}/labels.parquet", labels)

    def look(self) -> Look:
        standing = standing_in(self.world.spec, Lake(uri=self.world.lake.uri), self.world.landing)
        seen = look(self.world.spec, self.world.landing, standing, self.state, NOW)
        self.state = SensorCursor.from_text(seen.state.to_text())
        return seen

    def ranges(self) -> list[tuple[date, date, bool]]:
        return [(request.first, request.last, request.only_labels) for request in self.look().requests]

    def make(self, first: int, last: int) -> None:
        self.world.run(list(landed_to_features(self.world.spec)), day(first), day(last))


@pytest.fixture
def followed(tmp_path) -> Follower:
    follower = Follower(tmp_path, SEEN_BY_FEATURES)
    follower.rows(9, 8, 7, 6, 5, 4, 3)
    follower.labels(5, of=8)
    return follower


def test_rows_and_labels_that_land_together_are_requested_in_one_run(followed):
    assert followed.ranges() == [(day(9), day(3), False)]
    assert followed.ranges() == []


def test_labels_are_requested_with_the_feature_days_that_can_see_them(followed):
    followed.make(9, 3)
    assert followed.ranges() == []
    followed.labels(5, of=8, value=0)
    assert followed.ranges() == [(day(5), day(3), False)]
    assert followed.ranges() == []


def test_labels_that_no_feature_sees_are_requested_alone(tmp_path):
    follower = Follower(tmp_path, LABELLED)
    follower.rows(9, 8, 7)
    follower.make(9, 7)
    follower.labels(8, of=9)
    assert follower.ranges() == [(day(8), day(8), False)]


def test_labels_of_a_day_whose_rows_have_not_landed_do_not_make_its_rows(followed):
    followed.make(9, 3)
    followed.labels(2, of=7)
    assert followed.ranges() == [(day(2), day(2), True)]


def test_a_marker_of_the_rows_is_not_asked_of_labels(tmp_path):
    follower = Follower(tmp_path, {**LABELLED, "sensor": {"look_back": "10d", "marker": "_SUCCESS"}})
    follower.labels(5, of=8)
    assert follower.ranges() == [(day(5), day(5), True)]


@pytest.mark.slow
def test_one_change_of_labels_is_requested_again_under_another_key_when_it_comes_back(followed):
    followed.make(9, 3)
    keys = []
    for value in (0, 1, 0):
        followed.labels(5, of=8, value=value)
        keys += [request.key for request in followed.look().requests]
        followed.make(9, 3)
    assert len(keys) == len(set(keys)) == 3


def with_a_late_change(root) -> Follower:
    """Two closed days that were made, one of which was rewritten since."""
    follower = Follower(root, REFUSING)
    follower.rows(9, 8)
    follower.make(9, 8)
    follower.world.land(day(8), rows_of(day(8)).head(30))
    return follower


def test_a_change_of_a_closed_day_is_reported_once_and_not_requested(tmp_path):
    follower = with_a_late_change(tmp_path)
    seen = follower.look()
    assert (seen.requests, seen.refused) == ([], [("raw_data", day(8))])
    assert f"changed and refused, as closed by late_data: {day(8)}" in seen.note
    assert follower.look().refused == []
    follower.world.land(day(8), rows_of(day(8)).head(31))
    assert follower.look().refused == [("raw_data", day(8))]


def test_a_refused_day_is_requested_when_it_is_reopened(tmp_path):
    follower = with_a_late_change(tmp_path)
    assert follower.ranges() == []
    follower.world.spec = ModelSpec.model_validate(
        {**REFUSING, "late_data": {**REFUSING["late_data"], "reopened": [str(day(8))]}}
    )
    assert follower.ranges() == [(day(8), day(8), False)]
    assert follower.ranges() == []


def test_a_day_that_is_not_complete_is_not_made_between_days_that_are(tmp_path):
    follower = Follower(tmp_path, {**SMALL, "sensor": {"look_back": "10d", "marker": "_SUCCESS"}})
    follower.rows(9, 8, 7)
    for back in (9, 7):
        follower.world.land_at(f"{day(back)}/_SUCCESS", b"")
    assert follower.ranges() == [(day(9), day(9), False), (day(7), day(7), False)]
    follower.world.land_at(f"{day(8)}/_SUCCESS", b"")
    assert follower.ranges() == [(day(8), day(7), False)]


def test_a_marker_need_not_begin_as_the_files_do(tmp_path):
    source = {**SMALL["source"], "files": "{day}/rows*.parquet"}
    follower = Follower(tmp_path, {**SMALL, "source": source, "sensor": {"look_back": "10d", "marker": "_SUCCESS"}})
    follower.rows(9)
    assert follower.ranges() == []
    follower.world.land_at(f"{day(9)}/_SUCCESS", b"")
    assert follower.ranges() == [(day(9), day(9), False)]


def test_files_below_folders_of_any_name_are_found(tmp_path):
    follower = Follower(
        tmp_path, {**SMALL, "source": {**SMALL["source"], "files": "*/{day}/*"}, "sensor": {"look_back": "10d"}}
    )
    follower.world.land_at(f"north/{day(9)}/rows.parquet", rows_of(day(9)))
    assert follower.ranges() == [(day(9), day(9), False)]


def test_days_whose_runs_failed_are_named(tmp_path):
    follower = Follower(tmp_path, {**SMALL, "sensor": {"look_back": "10d"}})
    follower.rows(9, 8)
    follower.look()
    assert (
        f"requested before and not made yet, see whether their runs wait or failed: {day(9)}, {day(8)}"
        in follower.look().note
    )


def test_dagster_gets_runs_of_labels_alone_and_observations_of_refused_days(tmp_path, monkeypatch):
    stop_clock(monkeypatch, arrivals_sensor_module, NOW)
    spec = ModelSpec.model_validate({**LABELLED, "late_data": {"open_for": "0d", "afterwards": "refuse"}})
    world = World(tmp_path, spec)
    old, newest = day(5), day(1)
    world.land(old, rows_of(old).drop(columns="label"))
    world.run(list(landed_to_features(spec)), old, old)
    world.land(old, rows_of(old).drop(columns="label").head(20))
    labels = pd.DataFrame({"id": [1], "label": [1], "known_at": pd.to_datetime([newest], utc=True)})
    world.land_at(f"labels/{newest}/labels.parquet", labels)
    sensor = arrivals_sensor(spec, features_job(spec))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(
            instance=instance, resources={"lake": Lake(uri=world.lake.uri), "landing": world.landing}
        )
        result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    (run,) = result.run_requests or []
    assert set(run.asset_selection or []) == {asset_key(spec, name) for name in LABEL_ASSETS}
    assert (
        run.tags["dagster/asset_partition_range_start"] == run.tags["dagster/asset_partition_range_end"] == str(newest)
    )
    (observed,) = result.asset_events
    assert (observed.asset_key, observed.partition) == (asset_key(spec, "raw_data"), str(old))
