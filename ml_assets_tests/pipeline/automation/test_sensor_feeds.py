"""The arrivals sensor follows files of labels as well as rows, and reports changes of closed days instead of requesting
them.
"""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pandas as pd
import pytest

from ml_assets.core.ingestion.sensor_cursor import SensorCursor
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LABEL_ASSETS, asset_key, landed_to_features
from ml_assets.pipeline.automation import arrivals_sensor as arrivals_sensor_module
from ml_assets.pipeline.automation.arrivals_sensor import (
    ArrivalsScan,
    arrivals_sensor,
    compare_with_lake,
    scan_arrivals,
)
from ml_assets.pipeline.automation.jobs import features_job
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, rows_of
from ml_assets_tests.support.clock import stop_clock

pytestmark = pytest.mark.clock

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
WITH_TARGET_WINDOW = {**LABELLED, "features": [*SMALL["features"], TARGET_WINDOW]}


def day(back: int) -> date:
    return TODAY - timedelta(days=back)


class SensorWorld:
    """A world that a sensor scans, and its cursor."""

    def __init__(self, root, attributes: dict):
        self.world = World(root, ModelSpec.model_validate(attributes))
        self.cursor = SensorCursor()

    def land_rows(self, *backs: int) -> None:
        for back in backs:
            self.world.land(day(back), rows_of(day(back)).drop(columns="label" if self.world.spec.labels else []))

    def land_labels(self, back: int, of_rows: int, value: int = 1) -> None:
        rows = rows_of(day(of_rows)).head(5)
        labels = pd.DataFrame({"id": rows["id"], "label": value, "known_at": pd.Timestamp(day(back), tz="UTC")})
        self.world.land_at(f"labels/{day(back)}/labels.parquet", labels)

    def tick(self) -> ArrivalsScan:
        compare_day = compare_with_lake(self.world.spec, Lake(uri=self.world.lake.uri), self.world.landing)
        scan = scan_arrivals(self.world.spec, self.world.landing, compare_day, self.cursor, NOW)
        self.cursor = SensorCursor.from_text(scan.cursor.to_text())
        return scan

    def requested_ranges(self) -> list[tuple[date, date, bool]]:
        return [(request.first, request.last, request.assets == LABEL_ASSETS) for request in self.tick().requests]

    def make(self, first: int, last: int) -> None:
        self.world.run(list(landed_to_features(self.world.spec)), day(first), day(last))


@pytest.fixture
def sensor_world(tmp_path) -> SensorWorld:
    sensor_world = SensorWorld(tmp_path, WITH_TARGET_WINDOW)
    sensor_world.land_rows(9, 8, 7, 6, 5, 4, 3)
    sensor_world.land_labels(5, of_rows=8)
    return sensor_world


def test_rows_and_labels_that_land_together_are_requested_in_one_run(sensor_world):
    assert sensor_world.requested_ranges() == [(day(9), day(3), False)]
    assert sensor_world.requested_ranges() == []


def test_labels_are_requested_with_the_feature_days_that_read_them(sensor_world):
    sensor_world.make(9, 3)
    assert sensor_world.requested_ranges() == []
    sensor_world.land_labels(5, of_rows=8, value=0)
    assert sensor_world.requested_ranges() == [(day(5), day(3), False)]
    assert sensor_world.requested_ranges() == []


def test_labels_that_no_feature_reads_are_requested_without_feature_days(tmp_path):
    sensor_world = SensorWorld(tmp_path, LABELLED)
    sensor_world.land_rows(9, 8, 7)
    sensor_world.make(9, 7)
    sensor_world.land_labels(8, of_rows=9)
    assert sensor_world.requested_ranges() == [(day(8), day(8), False)]


@pytest.mark.slow
def test_labels_of_a_day_without_landed_rows_request_only_label_assets(sensor_world):
    sensor_world.make(9, 3)
    sensor_world.land_labels(2, of_rows=7)
    assert sensor_world.requested_ranges() == [(day(2), day(2), True)]


def test_labels_need_no_marker_even_if_rows_do(tmp_path):
    sensor_world = SensorWorld(tmp_path, {**LABELLED, "sensor": {"look_back": "10d", "marker": "_SUCCESS"}})
    sensor_world.land_labels(5, of_rows=8)
    assert sensor_world.requested_ranges() == [(day(5), day(5), True)]


@pytest.mark.slow
def test_a_change_of_labels_that_comes_back_is_requested_again_under_another_key(sensor_world):
    sensor_world.make(9, 3)
    keys = []
    for value in (0, 1, 0):
        sensor_world.land_labels(5, of_rows=8, value=value)
        keys += [request.key for request in sensor_world.tick().requests]
        sensor_world.make(9, 3)
    assert len(keys) == len(set(keys)) == 3


def with_late_change(root) -> SensorWorld:
    """Return two closed days that were made, one of which was rewritten since."""
    sensor_world = SensorWorld(root, REFUSING)
    sensor_world.land_rows(9, 8)
    sensor_world.make(9, 8)
    sensor_world.world.land(day(8), rows_of(day(8)).head(30))
    return sensor_world


def test_a_change_of_a_closed_day_is_reported_once_and_not_requested(tmp_path):
    sensor_world = with_late_change(tmp_path)
    scan = sensor_world.tick()
    assert (scan.requests, scan.refused) == ([], [("raw_data", day(8))])
    assert f"changed but refused, as late_data has closed them: {day(8)}" in scan.summary
    assert sensor_world.tick().refused == []
    sensor_world.world.land(day(8), rows_of(day(8)).head(31))
    assert sensor_world.tick().refused == [("raw_data", day(8))]


def test_a_refused_day_is_requested_when_it_is_reopened(tmp_path):
    sensor_world = with_late_change(tmp_path)
    assert sensor_world.requested_ranges() == []
    sensor_world.world.spec = ModelSpec.model_validate(
        {**REFUSING, "late_data": {**REFUSING["late_data"], "reopened": [str(day(8))]}}
    )
    assert sensor_world.requested_ranges() == [(day(8), day(8), False)]
    assert sensor_world.requested_ranges() == []


def test_an_incomplete_day_is_not_requested_between_complete_days(tmp_path):
    sensor_world = SensorWorld(tmp_path, {**SMALL, "sensor": {"look_back": "10d", "marker": "_SUCCESS"}})
    sensor_world.land_rows(9, 8, 7)
    for back in (9, 7):
        sensor_world.world.land_at(f"{day(back)}/_SUCCESS", b"")
    assert sensor_world.requested_ranges() == [(day(9), day(9), False), (day(7), day(7), False)]
    sensor_world.world.land_at(f"{day(8)}/_SUCCESS", b"")
    assert sensor_world.requested_ranges() == [(day(8), day(7), False)]


def test_a_marker_does_not_need_the_prefix_of_the_files(tmp_path):
    source = {**SMALL["source"], "files": "{day}/rows*.parquet"}
    sensor_world = SensorWorld(
        tmp_path, {**SMALL, "source": source, "sensor": {"look_back": "10d", "marker": "_SUCCESS"}}
    )
    sensor_world.land_rows(9)
    assert sensor_world.requested_ranges() == []
    sensor_world.world.land_at(f"{day(9)}/_SUCCESS", b"")
    assert sensor_world.requested_ranges() == [(day(9), day(9), False)]


def test_files_in_folders_of_any_name_are_found(tmp_path):
    sensor_world = SensorWorld(
        tmp_path, {**SMALL, "source": {**SMALL["source"], "files": "*/{day}/*"}, "sensor": {"look_back": "10d"}}
    )
    sensor_world.world.land_at(f"north/{day(9)}/rows.parquet", rows_of(day(9)))
    assert sensor_world.requested_ranges() == [(day(9), day(9), False)]


def test_requested_days_that_are_not_made_yet_are_named(tmp_path):
    sensor_world = SensorWorld(tmp_path, {**SMALL, "sensor": {"look_back": "10d"}})
    sensor_world.land_rows(9, 8)
    sensor_world.tick()
    assert (
        f"requested before and not made yet, check whether their runs are queued or failed: {day(9)}, {day(8)}"
        in sensor_world.tick().summary
    )


def test_dagster_gets_runs_of_label_assets_and_observations_of_refused_days(tmp_path, monkeypatch):
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
