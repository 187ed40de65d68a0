"""The sensor requests the right days for every way in which files arrive, each change once, on a directory and on
S3.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_assets.core.ingestion.sensor_cursor import NOTHING, SensorCursor, day_digest
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.pipeline.automation import arrivals_sensor as sensors
from ml_assets.pipeline.automation.arrivals_sensor import Look, Request, arrivals_sensor, look, standing_in
from ml_assets.pipeline.automation.jobs import features_job
from ml_assets.pipeline.ingestion import landing_scan as scan_landing
from ml_assets.pipeline.ingestion.stage import Standing
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.open_store import open_objects
from ml_assets.resources.storage.stored_object import StoredObject
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, rows_of
from ml_assets_tests.support.clock import stop_clock

TODAY = date(2025, 3, 31)
SPEC = ModelSpec.model_validate({**SMALL, "sensor": {"look_back": "10d"}})
NOW = datetime(2025, 3, 31, 12, tzinfo=UTC)


def day(back: int) -> date:
    """The day so many days before today; the newest partition is yesterday, 1."""
    return TODAY - timedelta(days=back)


class Bay:
    """A landing and what the sensor remembers of it."""

    def __init__(self, uri: str, s3: dict, spec: ModelSpec = SPEC):
        self.landing, self.objects, self.spec, self.state = (
            Landing(uri=uri, s3=s3),
            open_objects(uri, s3),
            spec,
            SensorCursor(),
        )
        self.uri, self.keys = uri, []
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

    def standing(self, feed: Feed, which: date, objects: Sequence[StoredObject]) -> Standing:
        return "made" if self.made.get(which, NOTHING) == digest_of(objects) else "changed"

    @property
    def resume(self) -> date | None:
        """The day at which the next look goes on."""
        return self.state.feeds["raw_data"].resume

    def lies_there(self, which: date) -> str:
        return digest_of(self.landing.objects_of_day(self.spec.source, which))

    def launch(self, seen: Look) -> None:
        """The requested runs make their days, as often as their keys are new."""
        for request in seen.requests:
            if request.key not in self.keys:
                for which in days_of(request):
                    self.made[which] = self.lies_there(which)
                    self.features[which] = self.made[which], self.lies_there(which - timedelta(days=1))

    def look(self, now: datetime = NOW, keep: bool = True) -> Look:
        """One tick whose runs are done at once; without `keep` the process died before its state was kept."""
        seen = look(self.spec, self.landing, self.standing, self.state, now)
        self.launch(seen)
        if keep:
            self.state = SensorCursor.from_text(seen.state.to_text())
        self.keys += [request.key for request in seen.requests]
        return seen

    def requested(self, now: datetime = NOW) -> list[tuple[date, date]]:
        return [(request.first, request.last) for request in self.look(now).requests]


def days_of(request: Request) -> list[date]:
    return [request.first + timedelta(days=n) for n in range((request.last - request.first).days + 1)]


def digest_of(objects: Sequence[StoredObject]) -> str:
    return day_digest([(one.key, one.digest, one.size) for one in objects])


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.slow)])
def bay(request: pytest.FixtureRequest, tmp_path: Path) -> Bay:
    return Bay(str(tmp_path), {}) if request.param == "directory" else Bay(*request.getfixturevalue("bucket"))


def test_new_days_are_requested_once_in_one_range_with_the_days_that_see_them(bay):
    for back in (5, 4, 3):
        bay.put(day(back), "x")
    # The features of a day see one day before.
    assert bay.requested() == [(day(5), day(3))]
    assert bay.requested() == []
    bay.put(day(1), "x")
    assert bay.requested() == [(day(1), day(1))]


@pytest.mark.parametrize("change", ["rewritten", "added to", "removed from"])
def test_a_changed_day_is_requested_again_with_the_day_after(bay, change):
    for back in (6, 5, 4, 3):
        bay.put(day(back), "x")
        bay.put(day(back), "y", "b.csv")
    bay.look()
    if change == "rewritten":
        bay.put(day(5), "z")
    elif change == "added to":
        bay.put(day(5), "x", "c.csv")
    else:
        bay.remove(day(5))
    assert bay.requested() == [(day(5), day(4))]
    assert bay.requested() == []


def test_a_day_whose_files_are_all_removed_is_requested_once(bay):
    bay.put(day(5), "x")
    bay.put(day(4), "x")
    bay.look()
    bay.remove(day(5))
    assert bay.requested() == [(day(5), day(4))]
    assert bay.requested() == []


def test_late_and_out_of_order_days_are_found_however_old_their_neighbours(bay):
    bay.put(day(2), "x")
    bay.look()
    bay.put(day(8), "late")
    assert bay.requested() == [(day(8), day(7))]


def test_the_same_content_written_again_is_no_change(bay):
    bay.put(day(3), "x")
    bay.look()
    bay.put(day(3), "x")
    assert bay.requested() == []


def test_a_day_that_is_being_made_or_failed_is_not_requested_again_for_the_same_content(bay):
    bay.launch = lambda seen: None
    bay.put(day(3), "x")
    assert bay.requested() == [(day(3), day(3))]
    assert bay.requested() == []
    bay.put(day(3), "y")
    assert bay.requested() == [(day(3), day(3))]


def test_content_that_comes_back_is_requested_again_under_another_key(bay):
    bay.put(day(3), "old")
    bay.look()
    bay.put(day(3), "new")
    bay.look()
    bay.put(day(3), "old")
    bay.look()
    assert len(bay.keys) == len(set(bay.keys)) == 3


def test_a_look_that_died_before_its_state_was_kept_gives_the_same_keys_again(bay):
    bay.put(day(3), "x")
    bay.launch = lambda seen: None
    died, again = bay.look(keep=False), bay.look()
    assert [request.key for request in died.requests] == [request.key for request in again.requests]


def test_days_outside_the_look_back_and_today_are_left_alone(bay):
    for back in (11, 0, -1):
        bay.put(day(back), "x")
    assert bay.requested() == []
    bay.put(day(10), "x")
    assert bay.requested() == [(day(10), day(10))]


def test_a_day_is_complete_when_its_marker_is_there(bay):
    bay.spec = SPEC.model_validate({**SMALL, "sensor": {"look_back": "10d", "marker": "_SUCCESS"}})
    bay.put(day(3), "x")
    assert bay.requested() == []
    bay.put(day(3), "", "_SUCCESS")
    assert bay.requested() == [(day(3), day(3))]


def test_a_day_is_complete_when_its_files_have_rested(bay):
    bay.spec = SPEC.model_validate({**SMALL, "sensor": {"look_back": "10d", "minimum_age": "2h"}})
    # The age of a file is measured from the time that its store gives it.
    bay.objects.write("clock", b"")
    (clock,) = bay.objects.sizes("clock")
    recent = clock.modified.date() - timedelta(days=3)
    bay.put(recent, "x")
    (file,) = bay.objects.sizes(f"{recent}/")
    assert bay.requested(file.modified + timedelta(minutes=119)) == []
    assert bay.requested(file.modified + timedelta(minutes=121)) == [(recent, recent)]


def test_a_look_that_runs_out_of_time_goes_on_where_it_stopped(tmp_path, monkeypatch):
    bay = Bay(str(tmp_path), {})
    for back in range(1, 11):
        bay.put(day(back), "x")
    ticking = iter(range(1000))
    state, requested = SensorCursor(), set()
    monkeypatch.setattr(sensors, "SECONDS_PER_LOOK", 3)
    for _ in range(5):
        seen = look(SPEC, bay.landing, bay.standing, state, NOW, clock=lambda: float(next(ticking)))
        state = seen.state
        for request in seen.requests:
            requested |= set(days_of(request))
    assert requested == {day(back) for back in range(1, 11)}


@pytest.mark.parametrize("most", [2, *(pytest.param(most, marks=pytest.mark.slow) for most in (1, 5))])
def test_a_look_that_reaches_its_list_requests_goes_on_there_and_requests_every_day_once(bucket, monkeypatch, most):
    monkeypatch.setattr(sensors, "REQUESTS_PER_LOOK", most)
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    bay = Bay(*bucket)
    for back in range(1, 11):
        for name in "abcde" if back == 4 else "ab":
            bay.put(day(back), "x", name)
    looks = [bay.look()]
    while bay.resume and len(looks) < 20:
        looks.append(bay.look())
    # Two looks may be spent on a stretch that was too long, then each gets on by a day at least.
    assert 2 <= len(looks) <= 11
    assert set(bay.features) == {day(back) for back in range(1, 11)}
    assert all(
        bay.features[which] == (bay.lies_there(which), bay.lies_there(which - timedelta(days=1)))
        for which in bay.features
    )
    assert len(bay.keys) == len(set(bay.keys))
    assert "list requests, the next look begins at" in looks[0].note
    requested = len(bay.keys)
    for _ in looks:
        bay.look()
    assert bay.resume is None
    assert len(bay.keys) == requested


def test_a_day_that_sees_a_changed_one_is_requested_though_it_was_looked_at_before_the_look_went_on(
    tmp_path, monkeypatch
):
    bay = Bay(str(tmp_path), {})
    for back in range(3, 11):
        bay.put(day(back), "x")
    bay.look()
    monkeypatch.setattr(sensors, "REQUESTS_PER_LOOK", 1)
    monkeypatch.setattr(scan_landing, "FIRST_STRETCH", 1)
    bay.put(day(6), "y")
    requested = [bay.look() for _ in range(10)]
    assert [(one.first, one.last) for seen in requested for one in seen.requests] == [(day(6), day(5))]
    assert bay.resume is None


def test_files_that_land_in_the_same_second_and_below_keys_that_are_there_are_found(bay):
    bay.put(day(3), "x", "m.csv")
    bay.look()
    for name in ("a.csv", "z.csv"):
        bay.put(day(3), "x", name)
    assert bay.requested() == [(day(3), day(3))]
    bay.put(day(3), "y", "m.csv")
    assert bay.requested() == [(day(3), day(3))]


def test_the_size_of_the_state_does_not_depend_on_the_number_of_files(tmp_path):
    few, many = Bay(str(tmp_path / "few"), {}), Bay(str(tmp_path / "many"), {})
    for bay, files in ((few, 1), (many, 50)):
        bay.launch = lambda seen: None
        for number in range(files):
            bay.put(day(3), "x", f"{number}.csv")
        bay.look()
    assert len(few.state.to_text()) == len(many.state.to_text())


def test_a_long_range_is_cut_into_runs(tmp_path):
    bay = Bay(
        str(tmp_path),
        {},
        SPEC.model_validate({**SMALL, "sensor": {"look_back": "10d"}, "backfill": {"days_per_run": 4}}),
    )
    for back in range(1, 11):
        bay.put(day(back), "x")
    assert bay.requested() == [(day(10), day(7)), (day(6), day(3)), (day(2), day(1))]


OPERATION = st.tuples(
    st.sampled_from(["put", "remove", "look", "die"]), st.integers(1, 10), st.sampled_from("xyz"), st.sampled_from("ab")
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(OPERATION, max_size=25), st.integers(1, 12), st.sampled_from([1, 4, 32]))
def test_whatever_happens_between_looks_the_days_are_made_from_what_lies_there(
    tmp_path_factory, monkeypatch, operations, most, stretch
):
    # Each file is a page of its own.
    monkeypatch.setattr("ml_assets.resources.storage.directory.KEYS_PER_PAGE", 1)
    monkeypatch.setattr(sensors, "REQUESTS_PER_LOOK", most)
    monkeypatch.setattr(scan_landing, "FIRST_STRETCH", stretch)
    bay = Bay(str(tmp_path_factory.mktemp("bay")), {})
    for what, back, content, name in operations:
        if what == "put":
            bay.put(day(back), content, name)
        elif what == "remove" and (Path(bay.uri) / str(day(back)) / name).exists():
            bay.remove(day(back), name)
        elif what in ("look", "die"):
            bay.look(keep=what == "look")
    # The rest of the round that was going on, and a whole one.
    for _ in range(2):
        bay.look()
        while bay.resume:
            bay.look()
    for back in range(1, 11):
        held = bay.lies_there(day(back))
        assert bay.made.get(day(back), NOTHING) == held
        # A look sees ten days back, so the tenth is not made again for the eleventh.
        assert held == NOTHING or bay.features[day(back)] == (held, bay.lies_there(day(back + 1)))
    assert bay.look().requests == []


def test_dagster_evaluates_the_sensor_and_keeps_its_state(tmp_path, monkeypatch):
    stop_clock(monkeypatch, sensors, NOW)
    yesterday = day(1)
    bay = Bay(str(tmp_path), {})
    bay.put(yesterday, "x")
    sensor = arrivals_sensor(SPEC, features_job(SPEC))
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"landing": bay.landing, "lake": Lake(uri=str(tmp_path / "lake"))}
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


def test_days_that_were_made_before_the_first_look_are_not_requested(tmp_path):
    world = World(tmp_path, SPEC)
    for back in (3, 2, 1):
        world.land(day(back), rows_of(day(back)))
    world.run(["raw_data"], day(3), day(2))
    seen = look(SPEC, world.landing, standing_in(SPEC, world.lake, world.landing), SensorCursor(), NOW)
    assert [(request.first, request.last) for request in seen.requests] == [(day(1), day(1))]
    world.remove(day(2))
    seen = look(SPEC, world.landing, standing_in(SPEC, Lake(uri=world.lake.uri), world.landing), SensorCursor(), NOW)
    assert [(request.first, request.last) for request in seen.requests] == [(day(2), day(1))]


def test_a_look_that_died_is_repeated_under_the_same_key_though_another_day_changed_meanwhile(bay):
    for back in (9, 8, 7):
        bay.put(day(back), "x")
    bay.look()
    bay.launch = lambda seen: None
    bay.put(day(9), "y")
    (died,) = bay.look(keep=False).requests
    bay.put(day(3), "x")
    assert died.key in [request.key for request in bay.look().requests]
