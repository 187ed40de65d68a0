"""Days and objects of the landing, in a directory and on S3."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.file_pattern import folder_prefix
from ml_assets.core.model_spec.automation import Sensor
from ml_assets.core.model_spec.source import Source
from ml_assets.resources.storage.landing import Landing, ObjectChanged
from ml_assets.resources.storage.open_store import open_objects
from ml_assets.resources.storage.stored_object import StoredObject

pytestmark = pytest.mark.clock

SOURCE = Source(files="sales/{day}/*", start=date(2025, 1, 2), end=date(2025, 1, 5))


@pytest.fixture(params=["directory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict]:
    return (str(tmp_path), {}) if request.param == "directory" else request.getfixturevalue("bucket")


def test_days_with_files_within_the_source_are_listed(place):
    objects = open_objects(*place)
    for day in ("2025-01-01", "2025-01-02", "2025-01-04", "2025-01-06"):
        objects.write(f"sales/{day}/a.csv", b"x")
    objects.write("sales/2025-01-03/_SUCCESS", b"")
    landing = Landing(uri=place[0], s3=place[1])
    assert landing.days(SOURCE) == [date(2025, 1, 2), date(2025, 1, 4)]


def test_objects_of_a_day_leave_out_markers_and_other_days(place):
    objects = open_objects(*place)
    for key in (
        "sales/2025-01-02/b.csv",
        "sales/2025-01-02/a.csv",
        "sales/2025-01-02/_SUCCESS",
        "sales/2025-01-03/c.csv",
    ):
        objects.write(key, key.encode())
    landing = Landing(uri=place[0], s3=place[1])
    assert [stored.key for stored in landing.objects_of_day(SOURCE, date(2025, 1, 2))] == [
        "sales/2025-01-02/a.csv",
        "sales/2025-01-02/b.csv",
    ]
    assert landing.objects_of_day(SOURCE, date(2025, 1, 5)) == []


def test_files_beside_those_of_a_day_are_listed_apart_unless_they_are_hidden_or_of_another_feed(place):
    objects = open_objects(*place)
    read = "sales/2025-01-02/a.csv"
    overlooked = ["B.CSV", "b.csv.gz", "b.csv/part-0.csv", "sub/b.csv"]
    hidden = ["_SUCCESS", "_temporary/0/part-0.csv", ".a.csv.crc", "sub/.x", "DONE", "labels/l.csv"]
    for key in (read, *(f"sales/2025-01-02/{name}" for name in (*overlooked, *hidden)), "sales/2025-01-03/C.CSV"):
        objects.write(key, b"x")
    source = SOURCE.model_copy(update={"files": "sales/{day}/*.csv"})
    others = ["sales/{day}/labels/*.csv", "sales/{day}/DONE"]
    of_day, beside = Landing(uri=place[0], s3=place[1]).files_of_day(source, date(2025, 1, 2), others)
    assert [stored.key for stored in of_day] == [read]
    assert beside == [f"sales/2025-01-02/{name}" for name in overlooked]


@pytest.mark.parametrize(
    ("files", "prefix"),
    [
        ("sales/{day}/*", "sales/2025-01-02/"),
        ("sales/{day}/part-*.csv", "sales/2025-01-02/part-"),
        ("sales_{day}.csv", "sales_2025-01-02"),
        ("{day}/sales.csv", "2025-01-02/"),
        ("*/{day}.csv", ""),
    ],
)
def test_other_files_are_looked_for_where_those_of_a_day_lie(files, prefix):
    assert folder_prefix(files, date(2025, 1, 2)) == prefix


def test_a_file_replaced_after_listing_is_an_error(place):
    objects = open_objects(*place)
    objects.write("sales/2025-01-02/a.csv", b"old")
    landing = Landing(uri=place[0], s3=place[1])
    (listed,) = landing.objects_of_day(SOURCE, date(2025, 1, 2))
    assert landing.read(listed) == b"old"
    objects.write("sales/2025-01-02/a.csv", b"new")
    with pytest.raises(ObjectChanged, match=r"a\.csv"):
        landing.read(listed)


NOW = datetime(2025, 1, 10, tzinfo=UTC)
KEYS = [
    *(
        f"sales/2025-01-{number:02}/{name}"
        for number in (1, 2, 3, 5, 6)
        for name in ("a.csv", "é ü.csv", "deeper/x.csv", "_SUCCESS", "")
    ),
    *(f"sales/2025-01-02-backup/{number}.csv" for number in range(8)),
    *(
        "sales/2025-01-02",
        "sales/2025-01-03!",
        "sales/2024-12-31/z.csv",
        "sales/2025-01-1/x.csv",
        "sales/2025-01-05~/x.csv",
        "sold/2025-01-03/x.csv",
    ),
]


def by_day(
    landing: Landing, first: date, last: date, sensor: Sensor | None = None
) -> tuple[dict[date, list[str] | None], int]:
    """Return the keys of each day, and the number of list requests."""
    landed = list(landing.complete_days(SOURCE, sensor or Sensor(), first, last, NOW))
    assert [day.day for day in landed] == [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {
        landed_day.day: landed_day.objects and [stored.key for stored in landed_day.objects] for landed_day in landed
    }, sum(landed_day.requests for landed_day in landed)


def test_days_are_found_in_one_listing_whatever_lies_between_them(place, monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    objects, landing = open_objects(*place), Landing(uri=place[0], s3=place[1])
    for key in KEYS:
        # A directory has neither a file without a name nor a file and a folder of the same name.
        if place[1] or not (key.endswith("/") or key == "sales/2025-01-02"):
            objects.write(key, key.encode())
    for first, last in [(1, 6), (3, 5), (4, 4), (7, 9)]:
        keys_by_day, _ = by_day(landing, date(2025, 1, first), date(2025, 1, last))
        assert keys_by_day == {
            day: [stored.key for stored in landing.objects_of_day(SOURCE, day)] for day in keys_by_day
        }
    assert list(keys_by_day.values()) == [[], [], []]
    marked, _ = by_day(landing, date(2025, 1, 1), date(2025, 1, 6), Sensor(marker="_SUCCESS"))
    assert marked[date(2025, 1, 2)] == ["sales/2025-01-02/a.csv", "sales/2025-01-02/é ü.csv"]
    assert by_day(landing, date(2025, 1, 1), date(2025, 1, 2), Sensor(marker="_DONE"))[0] == dict.fromkeys(
        [date(2025, 1, 1), date(2025, 1, 2)]
    )


def test_many_days_take_one_request_and_pages_of_other_folders_are_left_out(bucket, monkeypatch):
    uri, s3 = bucket
    objects, landing = open_objects(uri, s3), Landing(uri=uri, s3=s3)
    for number in (1, 2, 4):
        objects.write(f"sales/2025-01-0{number}/a.csv", b"x")
    assert by_day(landing, date(2024, 6, 1), date(2025, 1, 9))[1] == 1
    for number in range(30):
        objects.write(f"sales/2025-01-02/deeper{number}/x.csv", b"x")
        objects.write(f"sales/2025-01-02_old/{number}.csv", b"x")
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    keys_by_day, requests = by_day(landing, date(2025, 1, 1), date(2025, 1, 4))
    assert [bool(keys) for keys in keys_by_day.values()] == [True, True, False, True]
    # 32 objects of the first two days and 8 others, then from the third day on.
    assert requests == 4 + 1


class Pages:
    """Keys in memory, listed a few at a time as S3 does."""

    def __init__(self, keys: set[str], size: int):
        self.stored, self.size = [StoredObject(key, "", 0, NOW) for key in sorted(keys)], size

    def pages(self, prefix: str, after: str = "", before: str | None = None) -> Iterator[list[StoredObject]]:
        matching = [stored for stored in self.stored if stored.key.startswith(prefix) and stored.key > after]
        for begin in range(0, max(len(matching), 1), self.size):
            page = matching[begin : begin + self.size]
            yield [stored for stored in page if before is None or stored.key < before]
            if before is not None and page and page[-1].key >= before:
                return

    def describe(self, prefix: str) -> list[StoredObject]:
        return [stored for page in self.pages(prefix) for stored in page]


DAYS = st.dates(date(2024, 12, 25), date(2025, 1, 10))
KEY = st.builds(
    lambda form, day, separator, name: f"{day:{form}}{separator}{name}",
    st.sampled_from(["sales/%Y-%m-%d", "sales/%Y-%m", "%Y-%m-%d"]),
    DAYS,
    st.sampled_from(["/", "/", "/", "", "-", "~", "/deeper/", "é"]),
    st.text(st.sampled_from("ab_.0/~!é\U0001f600"), max_size=3),
)


@given(
    st.sets(KEY, max_size=60),
    DAYS,
    st.integers(0, 20),
    st.integers(1, 7),
    st.sampled_from(["sales/{day}/*", "sales/{day}*", "{day}/*"]),
)
def test_a_listing_of_many_days_equals_the_listings_of_each_day(keys, first, more, size, files):
    source, landing, last = (
        Source(files=files, start=date(2020, 1, 1)),
        Landing(uri="/nowhere"),
        first + timedelta(days=more),
    )
    landing.__dict__["_objects"] = Pages(keys, size)
    landed = list(landing.complete_days(source, Sensor(), first, last, NOW))
    assert [landed_day.day for landed_day in landed] == [first + timedelta(days=n) for n in range(more + 1)]
    requests = 0
    for landed_day in landed:
        assert landed_day.objects == landing.objects_of_day(source, landed_day.day)
        requests += len(
            list(Pages(keys, size).pages(f"{landed_day.day:{files.replace('{day}', '%Y-%m-%d').rstrip('*')}}"))
        )
    assert sum(landed_day.requests for landed_day in landed) <= 2 * requests + 1


def test_bytes_of_a_day_are_those_of_its_data_files(place):
    objects = open_objects(*place)
    for key, size in [
        ("sales/2025-01-02/b.csv", 3),
        ("sales/2025-01-02/a.csv", 40),
        ("sales/2025-01-02/_SUCCESS", 500),
        ("sales/2025-01-03/c.csv", 6),
    ]:
        objects.write(key, b"x" * size)
    landing = Landing(uri=place[0], s3=place[1])
    assert [landing.bytes_of_day(SOURCE.files, date(2025, 1, day)) for day in (2, 3, 4)] == [43, 6, 0]
