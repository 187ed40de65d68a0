"""Days and objects of the landing area, on a directory and on S3."""

from datetime import date
from pathlib import Path

import pytest

from ml_assets.core.spec.source import Source
from ml_assets.resources.landing import Landing, ObjectChanged
from ml_assets.resources.objects import open_objects

SOURCE = Source(files="sales/{day}/*", start=date(2025, 1, 2), end=date(2025, 1, 5))


@pytest.fixture(params=["directory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict]:
    return (str(tmp_path), {}) if request.param == "directory" else request.getfixturevalue("bucket")


def test_days_with_files_within_the_source_are_found(place):
    objects = open_objects(*place)
    for day in ("2025-01-01", "2025-01-02", "2025-01-04", "2025-01-06"):
        objects.write(f"sales/{day}/a.csv", b"x")
    objects.write("sales/2025-01-03/_SUCCESS", b"")
    landing = Landing(uri=place[0], s3=place[1])
    assert landing.days(SOURCE) == [date(2025, 1, 2), date(2025, 1, 4)]


def test_objects_of_a_day_leave_out_markers_and_other_days(place):
    objects = open_objects(*place)
    for key in ("sales/2025-01-02/b.csv", "sales/2025-01-02/a.csv", "sales/2025-01-02/_SUCCESS", "sales/2025-01-03/c.csv"):
        objects.write(key, key.encode())
    landing = Landing(uri=place[0], s3=place[1])
    assert [found.key for found in landing.objects_of_day(SOURCE, date(2025, 1, 2))] == ["sales/2025-01-02/a.csv", "sales/2025-01-02/b.csv"]
    assert landing.objects_of_day(SOURCE, date(2025, 1, 5)) == []


def test_a_file_replaced_after_listing_is_told(place):
    objects = open_objects(*place)
    objects.write("sales/2025-01-02/a.csv", b"old")
    landing = Landing(uri=place[0], s3=place[1])
    (found,) = landing.objects_of_day(SOURCE, date(2025, 1, 2))
    assert landing.read(found) == b"old"
    objects.write("sales/2025-01-02/a.csv", b"new")
    with pytest.raises(ObjectChanged, match=r"a\.csv"):
        landing.read(found)
