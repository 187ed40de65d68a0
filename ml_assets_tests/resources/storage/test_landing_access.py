"""A landing that is not there or cannot be listed is an error, and never a landing without files."""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ml_assets.core.model_spec.automation import Sensor
from ml_assets.core.model_spec.source import Source
from ml_assets.core.operations.failures.classification import Failure, classify
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.landing_access import LandingUnavailable
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.support.http_server import QuietHandler, http_server

SOURCE = Source(files="sales/{day}/*", start=date(2025, 1, 2), end=date(2025, 1, 5))
DAY = date(2025, 1, 2)
READERS: list[Callable[[Landing], object]] = [
    lambda landing: landing.objects_of_day(SOURCE, DAY),
    lambda landing: landing.has_files(SOURCE, DAY),
    lambda landing: landing.bytes_of_day(SOURCE.files, DAY),
    lambda landing: landing.days(SOURCE),
    lambda landing: list(landing.complete_days(SOURCE, Sensor(), DAY, date(2025, 1, 3), datetime.now(UTC))),
]


def assert_unavailable(landing: Landing, said: str, readers: Sequence[Callable[[Landing], object]] = READERS) -> None:
    for read in readers:
        with pytest.raises(LandingUnavailable, match=said):
            read(landing)


def test_a_directory_that_does_not_exist_is_unavailable(tmp_path):
    landing = Landing(uri=str(tmp_path / "unmounted"))
    assert_unavailable(landing, r"is not there: there is no directory .*unmounted.*ML_ASSETS_LANDING")
    assert "no directory" in str(landing.missing_root())


def test_a_file_or_a_broken_link_in_place_of_the_directory_is_unavailable(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert_unavailable(Landing(uri=str(tmp_path / "file")), "is a file, not a directory")
    assert_unavailable(Landing(uri=str(tmp_path / "link")), "is a link to .*gone, which does not exist")


def test_a_broken_link_in_place_of_a_folder_of_the_pattern_is_unavailable(tmp_path):
    (tmp_path / "sales").symlink_to(tmp_path / "gone")
    assert_unavailable(Landing(uri=str(tmp_path)), "sales: is a broken link")


def test_a_file_whose_name_is_not_utf_8_makes_its_day_unavailable(tmp_path):
    open_objects(str(tmp_path), {}).write("sales/2025-01-02/a.csv", b"x")
    try:
        os.close(os.open(os.fsencode(tmp_path) + b"/sales/2025-01-02/caf\xe9.csv", os.O_CREAT))
    except OSError:
        pytest.skip("this file system only has names in UTF-8")
    for read in (READERS[0], READERS[-1]):
        with pytest.raises(
            LandingUnavailable, match=r"caf\\xe9\.csv: the name is not UTF-8; rename the file; until then no day is"
        ):
            read(Landing(uri=str(tmp_path)))


@pytest.mark.parametrize("link", ["sales/2025-01-02", "sales/2025-01-02/b.csv"])
def test_a_broken_link_in_place_of_files_of_a_day_is_unavailable(tmp_path, link):
    open_objects(str(tmp_path), {}).write("sales/2025-01-03/a.csv", b"x")
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "gone")
    for read in (READERS[0], READERS[-1]):
        with pytest.raises(LandingUnavailable, match=f"{link}: is a broken link"):
            read(Landing(uri=str(tmp_path)))


def test_a_file_in_place_of_a_folder_of_the_pattern_is_unavailable(tmp_path):
    (tmp_path / "sales").write_text("x")
    assert_unavailable(Landing(uri=str(tmp_path)), "sales.*Not a directory")


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.EACCES, Failure.REFUSED), (errno.ENOTCONN, Failure.STATED), (errno.EIO, Failure.TRANSIENT)],
)
def test_a_folder_that_cannot_be_listed_is_unavailable(tmp_path, monkeypatch, number, kind):
    open_objects(str(tmp_path), {}).write("sales/2025-01-02/a.csv", b"x")
    scandir = os.scandir

    def refuse(path: str | Path):
        if Path(path).name in ("sales", "2025-01-02"):
            raise OSError(number, os.strerror(number), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert_unavailable(Landing(uri=str(tmp_path)), f"sales.*{os.strerror(number)}")
    with pytest.raises(LandingUnavailable) as raised:
        READERS[0](Landing(uri=str(tmp_path)))
    assert classify(raised.value) == kind


def test_a_directory_without_files_or_without_folders_of_the_pattern_is_available(tmp_path):
    landing = Landing(uri=str(tmp_path))
    assert landing.missing_root() is None
    assert landing.objects_of_day(SOURCE, DAY) == []
    assert landing.days(SOURCE) == []


def test_a_bucket_that_does_not_exist_is_unavailable_and_an_empty_prefix_is_not(bucket):
    uri, s3 = bucket
    assert_unavailable(Landing(uri="s3://no-such-bucket/x", s3=s3), "no-such-bucket.*there is no such bucket")
    assert Landing(uri=f"{uri}/nothing", s3=s3).days(SOURCE) == []
    assert Landing(uri=uri, s3=s3).missing_root() is None


@contextmanager
def server_that_answers(status: int, body: bytes) -> Iterator[str]:
    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with http_server(Handler) as address:
        yield address


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>", "does not let this process read"),
        (200, b"<html><body>a page</body></html>", "is not an S3 store"),
        (200, b"<!doctype html><p>a page", "cannot be read"),
    ],
    ids=["refuses", "no store", "no XML"],
)
def test_a_store_that_refuses_or_a_server_that_is_no_store_is_unavailable(bucket, status, body, said):
    with server_that_answers(status, body) as endpoint:
        landing = Landing(uri="s3://bucket/x", s3={**bucket[1], "endpoint_url": endpoint})
        # What is no XML is asked for again and again, for a second.
        assert_unavailable(landing, said, READERS[:1] if said == "cannot be read" else READERS)
