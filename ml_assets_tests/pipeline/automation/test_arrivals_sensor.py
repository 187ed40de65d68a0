"""The arrivals sensor requests each change once, however files arrive, on a directory and on S3."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ml_assets.core.ingestion.sensor_cursor import NO_OBJECTS, SensorCursor, digest_objects
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.pipeline.automation import arrivals_sensor as sensor_module
from ml_assets.pipeline.automation.arrivals_sensor import (
    ArrivalsScan,
    arrivals_sensor,
    compare_with_lake,
    scan_arrivals,
)
from ml_assets.pipeline.automation.jobs import features_job
from ml_assets.pipeline.automation.range_requests import RangeRequest
from ml_assets.pipeline.ingestion import landing_scan
from ml_assets.pipeline.ingestion.day_in_lake import DayInLake
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.open_store import open_objects
from ml_assets.resources.storage.stored_object import StoredObject
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, rows_of
from ml_assets_tests.support.clock import stop_clock

pytestmark = pytest.mark.clock

TODAY = date(2025, 3, 31)
SPEC = ModelSpec.model_validate({**SMALL, "sensor": {"look_back": "10d"}})
NOW = datetime(2025, 3, 31, 12, tzinfo=UTC)


def day(back: int) -> date:
    """Return the day that lies `back` days before today; the newest partition is yesterday, 1."""
    return TODAY - timedelta(days=back)


class SensorRun:
    """A landing, the cursor of its sensor, and the days that the requested runs have made."""

    def __init__(self, uri: str, s3: dict, spec: ModelSpec = SPEC):
        self.uri = uri
        self.landing = Landing(uri=uri, s3=s3)
        self.objects = open_objects(uri, s3)
        self.spec = spec
        self.cursor = SensorCursor()
        self.keys: list[str] = []
        self.made: dict[date, str] = {}
        # The digests of the days that the features of a day were last made from: its own and the one before.
        self.features: dict[date, tuple[str, str]] = {}

    def put(self, which: date, content: str, name: str = "a.csv") -> None:
        self.objects.write(f"{which}/{name}", content.encode())

    def remove(self, which: date, name: str = "a.csv") -> None:
        if isinstance(self.objects, type(open_objects("/", {}))):
            (Path(self.uri) / str(which) / name).unlink()
        else:
            self.objects._client.delete_object(Bucket=self.objects.bucket, Key=f"{self.objects.prefix}/{which}/{name}")

    def compare(self, feed: Feed, which: date, objects: Sequence[StoredObject]) -> DayInLake:
        made = self.made.get(which, NO_OBJECTS)
        if made == digest_of(objects):
            return DayInLake("current" if which in self.made else "absent", made)
        return DayInLake("changed", made)

    @property
    def resume(self) -> date | None:
        """The day at which the next tick resumes."""
        return self.cursor.feeds["raw_data"].resume

    def landed_digest(self, which: date) -> str:
        return digest_of(self.landing.objects_of_day(self.spec.source, which))

    def launch(self, scan: ArrivalsScan) -> None:
        """Make the days of each requested run whose key is new, as Dagster does."""
        for request in scan.requests:
            if request.key not in self.keys:
                for which in days_of(request):
                    self.made[which] = self.landed_digest(which)
                    self.features[which] = self.made[which], self.landed_digest(which - timedelta(days=1))

    def tick(self, now: datetime = NOW, keep_cursor: bool = True) -> ArrivalsScan:
        """Evaluate one tick and make its runs; without `keep_cursor` the process dies before the cursor is saved."""
        scan = scan_arrivals(self.spec, self.landing, self.compare, self.cursor, now)
        self.launch(scan)
        if keep_cursor:
            self.cursor = SensorCursor.from_text(scan.cursor.to_text())
        self.keys += [request.key for request in scan.requests]
        return scan

    def requested_ranges(self, now: datetime = NOW) -> list[tuple[date, date]]:
        return [(request.first, request.last) for request in self.tick(now).requests]


def days_of(request: RangeRequest) -> list[date]:
    return [request.first + timedelta(days=n) for n in range((request.last - request.first).days + 1)]


def digest_of(objects: Sequence[StoredObject]) -> str:
    return digest_objects([(stored.key, stored.digest, stored.size) for stored in objects])


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.slow)])
def sensor_run(request: pytest.FixtureRequest, tmp_path: Path) -> SensorRun:
    return (
        SensorRun(str(tmp_path), {}) if request.param == "directory" else SensorRun(*request.getfixturevalue("bucket"))
    )


def test_new_days_are_requested_once_in_one_range_with_the_days_that_see_them(sensor_run):
    for back in (5, 4, 3):
        sensor_run.put(day(back), "x")
    # The features of a day see one day before.
    assert sensor_run.requested_ranges() == [(day(5), day(3))]
    assert sensor_run.requested_ranges() == []
    sensor_run.put(day(1), "x")
    assert sensor_run.requested_ranges() == [(day(1), day(1))]


@pytest.mark.parametrize("change", ["rewritten", "added to", "removed from"])
def test_a_changed_day_is_requested_again_with_the_day_after(sensor_run, change):
    for back in (6, 5, 4, 3):
        sensor_run.put(day(back), "x")
        sensor_run.put(day(back), "y", "b.csv")
    sensor_run.tick()
    if change == "rewritten":
        sensor_run.put(day(5), "z")
    elif change == "added to":
        sensor_run.put(day(5), "x", "c.csv")
    else:
        sensor_run.remove(day(5))
    assert sensor_run.requested_ranges() == [(day(5), day(4))]
    assert sensor_run.requested_ranges() == []


def test_a_day_without_files_left_is_requested_once(sensor_run):
    sensor_run.put(day(5), "x")
    sensor_run.put(day(4), "x")
    sensor_run.tick()
    sensor_run.remove(day(5))
    assert sensor_run.requested_ranges() == [(day(5), day(4))]
    assert sensor_run.requested_ranges() == []


def test_a_late_day_is_requested_after_newer_days(sensor_run):
    sensor_run.put(day(2), "x")
    sensor_run.tick()
    sensor_run.put(day(8), "late")
    assert sensor_run.requested_ranges() == [(day(8), day(7))]


def test_the_same_content_written_again_is_no_change(sensor_run):
    sensor_run.put(day(3), "x")
    sensor_run.tick()
    sensor_run.put(day(3), "x")
    assert sensor_run.requested_ranges() == []


def test_a_day_that_is_being_made_or_failed_is_not_requested_again_for_the_same_content(sensor_run):
    sensor_run.launch = lambda scan: None
    sensor_run.put(day(3), "x")
    assert sensor_run.requested_ranges() == [(day(3), day(3))]
    assert sensor_run.requested_ranges() == []
    sensor_run.put(day(3), "y")
    assert sensor_run.requested_ranges() == [(day(3), day(3))]


def test_content_that_comes_back_is_requested_again_under_another_key(sensor_run):
    sensor_run.put(day(3), "old")
    sensor_run.tick()
    sensor_run.put(day(3), "new")
    sensor_run.tick()
    sensor_run.put(day(3), "old")
    sensor_run.tick()
    assert len(sensor_run.keys) == len(set(sensor_run.keys)) == 3


def test_a_tick_that_died_before_its_cursor_was_saved_requests_the_same_keys_again(sensor_run):
    sensor_run.put(day(3), "x")
    sensor_run.launch = lambda scan: None
    interrupted, repeated = sensor_run.tick(keep_cursor=False), sensor_run.tick()
    assert [request.key for request in interrupted.requests] == [request.key for request in repeated.requests]


def test_today_and_days_outside_the_look_back_are_not_requested(sensor_run):
    for back in (11, 0, -1):
        sensor_run.put(day(back), "x")
    assert sensor_run.requested_ranges() == []
    sensor_run.put(day(10), "x")
    assert sensor_run.requested_ranges() == [(day(10), day(10))]


def test_a_day_is_complete_when_its_marker_is_there(sensor_run):
    sensor_run.spec = SPEC.model_validate({**SMALL, "sensor": {"look_back": "10d", "marker": "_SUCCESS"}})
    sensor_run.put(day(3), "x")
    assert sensor_run.requested_ranges() == []
    sensor_run.put(day(3), "", "_SUCCESS")
    assert sensor_run.requested_ranges() == [(day(3), day(3))]


def test_a_day_is_complete_when_its_files_are_older_than_the_minimum_age(sensor_run):
    sensor_run.spec = SPEC.model_validate({**SMALL, "sensor": {"look_back": "10d", "minimum_age": "2h"}})
    # The age of a file is measured from the time that its store gives it.
    sensor_run.objects.write("clock", b"")
    (clock,) = sensor_run.objects.sizes("clock")
    recent = clock.modified.date() - timedelta(days=3)
    sensor_run.put(recent, "x")
    (file,) = sensor_run.objects.sizes(f"{recent}/")
    assert sensor_run.requested_ranges(file.modified + timedelta(minutes=119)) == []
    assert sensor_run.requested_ranges(file.modified + timedelta(minutes=121)) == [(recent, recent)]


def test_a_tick_that_runs_out_of_time_is_resumed_by_the_next(tmp_path, monkeypatch):
    sensor_run = SensorRun(str(tmp_path), {})
    for back in range(1, 11):
        sensor_run.put(day(back), "x")
    seconds = iter(range(1000))
    cursor, requested = SensorCursor(), set()
    monkeypatch.setattr(sensor_module, "SECONDS_PER_TICK", 3)
    for _ in range(5):
        scan = scan_arrivals(
            SPEC, sensor_run.landing, sensor_run.compare, cursor, NOW, clock=lambda: float(next(seconds))
        )
        cursor = scan.cursor
        for request in scan.requests:
            requested |= set(days_of(request))
    assert requested == {day(back) for back in range(1, 11)}


@pytest.mark.parametrize("max_requests", [2, *(pytest.param(number, marks=pytest.mark.slow) for number in (1, 5))])
def test_a_tick_that_reaches_its_list_requests_is_resumed_and_requests_every_day_once(
    bucket, monkeypatch, max_requests
):
    monkeypatch.setattr(sensor_module, "REQUESTS_PER_TICK", max_requests)
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    sensor_run = SensorRun(*bucket)
    for back in range(1, 11):
        for name in "abcde" if back == 4 else "ab":
            sensor_run.put(day(back), "x", name)
    scans = [sensor_run.tick()]
    while sensor_run.resume and len(scans) < 20:
        scans.append(sensor_run.tick())
    # Two ticks may be spent on a listing that was too long; each later one advances by at least a day.
    assert 2 <= len(scans) <= 11
    assert set(sensor_run.features) == {day(back) for back in range(1, 11)}
    assert all(
        sensor_run.features[which]
        == (sensor_run.landed_digest(which), sensor_run.landed_digest(which - timedelta(days=1)))
        for which in sensor_run.features
    )
    assert len(sensor_run.keys) == len(set(sensor_run.keys))
    assert "list requests, the next tick resumes at" in scans[0].summary
    requested = len(sensor_run.keys)
    for _ in scans:
        sensor_run.tick()
    assert sensor_run.resume is None
    assert len(sensor_run.keys) == requested


def test_a_day_that_reads_a_changed_one_is_requested_even_if_it_was_scanned_in_an_earlier_tick(tmp_path, monkeypatch):
    sensor_run = SensorRun(str(tmp_path), {})
    for back in range(3, 11):
        sensor_run.put(day(back), "x")
    sensor_run.tick()
    monkeypatch.setattr(sensor_module, "REQUESTS_PER_TICK", 1)
    monkeypatch.setattr(landing_scan, "DAYS_OF_FIRST_LISTING", 1)
    sensor_run.put(day(6), "y")
    scans = [sensor_run.tick() for _ in range(10)]
    assert [(request.first, request.last) for scan in scans for request in scan.requests] == [(day(6), day(5))]
    assert sensor_run.resume is None


def test_a_file_that_the_run_of_another_day_read_before_any_scan_is_requested_with_the_day_after(sensor_run):
    for back in (6, 3):
        sensor_run.put(day(back), "x")

    def launch_late(scan: ArrivalsScan) -> None:
        # The features of day 5 read day 6, so the run computes both.
        sensor_run.put(day(5), "late")
        SensorRun.launch(sensor_run, scan)

    sensor_run.launch = launch_late
    assert sensor_run.requested_ranges() == [(day(6), day(5)), (day(3), day(3))]
    del sensor_run.launch
    assert sensor_run.requested_ranges() == [(day(5), day(4))]
    assert sensor_run.requested_ranges() == []


def test_a_day_that_a_person_materialized_before_any_scan_is_requested_with_the_day_after(sensor_run):
    for back in (5, 4):
        sensor_run.put(day(back), "x")
    sensor_run.tick()
    sensor_run.put(day(5), "y")
    sensor_run.made[day(5)] = sensor_run.landed_digest(day(5))
    assert sensor_run.requested_ranges() == [(day(5), day(4))]
    assert sensor_run.requested_ranges() == []


def test_a_day_whose_files_were_removed_before_its_run_is_not_requested_again(sensor_run):
    sensor_run.put(day(3), "x")
    sensor_run.launch = lambda scan: None
    sensor_run.tick()
    sensor_run.remove(day(3))
    assert sensor_run.requested_ranges() == []


def test_content_that_returns_after_a_tick_whose_cursor_was_lost_is_requested_again(sensor_run):
    sensor_run.put(day(3), "x", "b.csv")
    sensor_run.tick()
    sensor_run.put(day(3), "x", "a.csv")
    sensor_run.tick(keep_cursor=False)
    sensor_run.remove(day(3), "a.csv")
    assert sensor_run.requested_ranges() == [(day(3), day(3))]
    assert sensor_run.requested_ranges() == []


def test_files_that_land_in_the_same_second_or_sort_before_known_keys_are_found(sensor_run):
    sensor_run.put(day(3), "x", "m.csv")
    sensor_run.tick()
    for name in ("a.csv", "z.csv"):
        sensor_run.put(day(3), "x", name)
    assert sensor_run.requested_ranges() == [(day(3), day(3))]
    sensor_run.put(day(3), "y", "m.csv")
    assert sensor_run.requested_ranges() == [(day(3), day(3))]


def test_the_size_of_the_cursor_does_not_depend_on_the_number_of_files(tmp_path):
    few, many = SensorRun(str(tmp_path / "few"), {}), SensorRun(str(tmp_path / "many"), {})
    for sensor_run, files in ((few, 1), (many, 50)):
        sensor_run.launch = lambda scan: None
        for number in range(files):
            sensor_run.put(day(3), "x", f"{number}.csv")
        sensor_run.tick()
    assert len(few.cursor.to_text()) == len(many.cursor.to_text())


def test_a_long_range_is_split_into_runs(tmp_path):
    sensor_run = SensorRun(
        str(tmp_path),
        {},
        SPEC.model_validate({**SMALL, "sensor": {"look_back": "10d"}, "backfill": {"days_per_run": 4}}),
    )
    for back in range(1, 11):
        sensor_run.put(day(back), "x")
    assert sensor_run.requested_ranges() == [(day(10), day(7)), (day(6), day(3)), (day(2), day(1))]


OPERATION = st.tuples(
    st.sampled_from(["put", "remove", "tick", "die"]), st.integers(1, 10), st.sampled_from("xyz"), st.sampled_from("ab")
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("put", 3, "x", "a"), ("put", 5, "x", "a"), *[("tick", 1, "x", "a")] * 4, ("put", 4, "x", "a")], 1, 1)
@given(st.lists(OPERATION, max_size=25), st.integers(1, 12), st.sampled_from([1, 4, 32]))
def test_days_are_made_from_the_landed_files_whatever_happens_between_ticks(
    tmp_path_factory, monkeypatch, operations, max_requests, first_listing
):
    # Each file is a page of its own.
    monkeypatch.setattr("ml_assets.resources.storage.directory.KEYS_PER_PAGE", 1)
    monkeypatch.setattr(sensor_module, "REQUESTS_PER_TICK", max_requests)
    monkeypatch.setattr(landing_scan, "DAYS_OF_FIRST_LISTING", first_listing)
    sensor_run = SensorRun(str(tmp_path_factory.mktemp("sensor_run")), {})
    for action, back, content, name in operations:
        if action == "put":
            sensor_run.put(day(back), content, name)
        elif action == "remove" and (Path(sensor_run.uri) / str(day(back)) / name).exists():
            sensor_run.remove(day(back), name)
        elif action in ("tick", "die"):
            sensor_run.tick(keep_cursor=action == "tick")
    # The rest of the round that had begun, and a whole one.
    for _ in range(2):
        sensor_run.tick()
        while sensor_run.resume:
            sensor_run.tick()
    for back in range(1, 11):
        landed = sensor_run.landed_digest(day(back))
        assert sensor_run.made.get(day(back), NO_OBJECTS) == landed
        # The look-back is ten days, so the tenth is not made again for the eleventh.
        assert landed == NO_OBJECTS or sensor_run.features[day(back)] == (
            landed,
            sensor_run.landed_digest(day(back + 1)),
        )
    assert sensor_run.tick().requests == []


def test_dagster_evaluates_the_sensor_and_saves_its_cursor(tmp_path, monkeypatch):
    stop_clock(monkeypatch, sensor_module, NOW)
    yesterday = day(1)
    sensor_run = SensorRun(str(tmp_path), {})
    sensor_run.put(yesterday, "x")
    sensor = arrivals_sensor(SPEC, features_job(SPEC))
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"landing": sensor_run.landing, "lake": Lake(uri=str(tmp_path / "lake"))}
        context = dg.build_sensor_context(instance=instance, resources=resources)
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        (run,) = result.run_requests or []
        assert (
            run.tags["dagster/asset_partition_range_start"]
            == run.tags["dagster/asset_partition_range_end"]
            == str(yesterday)
        )
        again = sensor(dg.build_sensor_context(instance=instance, resources=resources, cursor=result.cursor))
        assert isinstance(again, dg.SensorResult)
        assert not again.run_requests
        assert "nothing changed" in (
            again.skip_reason.skip_message if isinstance(again.skip_reason, dg.SkipReason) else str(again.skip_reason)
        )


def test_days_that_were_made_before_the_first_tick_are_not_requested(tmp_path):
    world = World(tmp_path, SPEC)
    for back in (3, 2, 1):
        world.land(day(back), rows_of(day(back)))
    world.run(["raw_data"], day(3), day(2))
    scan = scan_arrivals(SPEC, world.landing, compare_with_lake(SPEC, world.lake, world.landing), SensorCursor(), NOW)
    assert [(request.first, request.last) for request in scan.requests] == [(day(1), day(1))]
    world.remove(day(2))
    scan = scan_arrivals(
        SPEC, world.landing, compare_with_lake(SPEC, Lake(uri=world.lake.uri), world.landing), SensorCursor(), NOW
    )
    assert [(request.first, request.last) for request in scan.requests] == [(day(2), day(1))]


def test_a_tick_that_died_is_repeated_under_the_same_key_even_if_another_day_has_changed_since(sensor_run):
    for back in (9, 8, 7):
        sensor_run.put(day(back), "x")
    sensor_run.tick()
    sensor_run.launch = lambda scan: None
    sensor_run.put(day(9), "y")
    (interrupted,) = sensor_run.tick(keep_cursor=False).requests
    sensor_run.put(day(3), "x")
    assert interrupted.key in [request.key for request in sensor_run.tick().requests]
