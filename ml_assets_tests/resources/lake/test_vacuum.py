"""Replaced files are listed by time of replacement, without those of needed days, in a directory and on S3."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.lake.vacuum import CannotVacuum, commits_of, replaced_files
from ml_assets_tests.support.http_server import free_port

pytestmark = pytest.mark.clock

SCHEMA = pa.schema([("a", pa.int64())])
FIRST, SECOND = date(2025, 1, 1), date(2025, 1, 2)
SOON = datetime.now(UTC) + timedelta(days=1)


def rows(*values: int) -> pa.Table:
    return pa.table({"a": list(values)}, SCHEMA)


def filled(lake: Lake) -> Table:
    """Commit day one three times and day two twice; the newest commit contains both."""
    table = lake.table("m", "x", SCHEMA)
    table.commit({FIRST: rows(1), SECOND: rows(1)}, {FIRST: 11, SECOND: 21})
    table.commit({FIRST: rows(2)}, {FIRST: 12})
    table.commit({FIRST: rows(3), SECOND: rows(2)}, {FIRST: 13, SECOND: 22})
    return table


def days_of(keys: list[str]) -> list[str]:
    return [key.partition("/")[0] for key in keys]


@pytest.fixture(scope="module")
def s3_process() -> Iterator[dict[str, str]]:
    """A bucket of an S3 server in a process of its own: deltalake keeps Python's lock while it reads a table's history,
    so no thread can serve it.
    """
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(300):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"}
    server.terminate()
    server.wait()


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.slow)])
def lake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    if request.param == "directory":
        return Lake(uri=str(tmp_path))
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    s3 = request.getfixturevalue("s3_process")
    boto3.client("s3", **s3).create_bucket(Bucket="bucket")
    return Lake(uri=f"s3://bucket/{tmp_path.name}", s3=s3)


def test_files_that_no_day_needs_are_listed_and_their_deletion_changes_no_readable_day(lake):
    table = filled(lake)
    replaced = replaced_files(table, SOON, {(FIRST, 12), (SECOND, 22)})
    assert days_of(replaced) == ["day=2025-01-01", "day=2025-01-02"]
    for key in replaced:
        lake.files.delete(f"m/x/{key}")
    assert table.read([FIRST, SECOND])["a"].to_pylist() == [3, 2]
    # Version 2 held day one as 12, and day two as 21, which nobody needed.
    assert DeltaTable(table.uri, 2, storage_options=table.storage_options).to_pyarrow_table(
        [("day", "=", "2025-01-01")]
    )["a"].to_pylist() == [2]
    folder = "m/x/"
    present = {file.key.removeprefix(folder) for file in lake.files.sizes(folder)}
    assert not present & set(replaced_files(table, SOON, {(FIRST, 12)}))


def test_without_needs_all_that_was_replaced_goes(lake):
    assert days_of(replaced_files(filled(lake), SOON, set())) == ["day=2025-01-01", "day=2025-01-01", "day=2025-01-02"]


def test_files_that_were_replaced_later_stay_however_old_they_are(tmp_path):
    table = Lake(uri=str(tmp_path)).table("m", "x", SCHEMA)
    table.commit({FIRST: rows(1)}, {FIRST: 11})
    between = datetime.now(UTC) + timedelta(milliseconds=2)
    time.sleep(0.01)
    table.commit({FIRST: rows(2)}, {FIRST: 12})
    for path in (tmp_path / "m" / "x").rglob("*.parquet"):
        os.utime(path, (0, 0))
    # Delta forgets in a checkpoint that these files were replaced; then only their age is left to go by.
    table.delta.alter.set_table_properties({"delta.deletedFileRetentionDuration": "interval 0 seconds"})
    table.delta.create_checkpoint()
    table = Lake(uri=str(tmp_path)).table("m", "x", SCHEMA)
    assert len(table.delta.vacuum(1, dry_run=True, enforce_retention_duration=False, full=True)) == 1
    assert replaced_files(table, between, set()) == []


def test_a_file_that_is_just_written_and_not_committed_stays(tmp_path):
    table = filled(Lake(uri=str(tmp_path)))
    # Times of files are set, because the file system may have another clock than this process.
    for name, seconds in (("unfinished", time.time()), ("forgotten", 0)):
        file = tmp_path / "m" / "x" / "day=2025-01-01" / f"part-{name}.parquet"
        file.write_bytes(b"x")
        os.utime(file, (seconds, seconds))
    assert replaced_files(table, datetime.now(UTC) - timedelta(days=1), set()) == [
        "day=2025-01-01/part-forgotten.parquet"
    ]


def test_a_needed_day_that_is_in_no_known_version_stops_the_vacuum(tmp_path):
    with pytest.raises(
        CannotVacuum, match=r"no version .* has 1 day that must be kept, the first 2025-01-01 \(0000000000000063\)"
    ):
        replaced_files(filled(Lake(uri=str(tmp_path))), SOON, {(FIRST, 99), (FIRST, 12)})


def test_a_log_that_begins_too_late_stops_the_vacuum(tmp_path):
    table = filled(Lake(uri=str(tmp_path)))
    table.delta.create_checkpoint()
    log = tmp_path / "m" / "x" / "_delta_log"
    for version in (0, 1, 2):
        (log / f"{version:020}.json").unlink()
    table = Lake(uri=str(tmp_path)).table("m", "x", SCHEMA)
    assert [commit.version for commit in commits_of(table)] == [3]
    with pytest.raises(CannotVacuum, match="its log begins on"):
        replaced_files(table, datetime.now(UTC) - timedelta(days=1), set())
    with pytest.raises(CannotVacuum, match="no version of the table that is known has 1 day"):
        replaced_files(table, SOON, {(FIRST, 12)})
