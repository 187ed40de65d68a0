"""Files in a directory and on S3 behave the same."""

import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from ml_assets.resources.storage.directory import BrokenLink, Directory, KeyEscapes, UnreadableName
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.chaos.proxy import FaultProxy, all_of, nth

pytestmark = pytest.mark.clock


@pytest.fixture(params=["directory", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "directory":
        return open_objects(str(tmp_path), {})
    return open_objects(*request.getfixturevalue("bucket"))


def test_written_files_are_listed_with_digest_and_size_and_read(objects):
    objects.write("a/2.txt", b"two")
    objects.write("a/1.txt", b"one!")
    objects.write("b/3.txt", b"three")
    described = objects.describe("a/")
    assert [(entry.key, entry.size) for entry in described] == [("a/1.txt", 4), ("a/2.txt", 3)]
    assert described[1].digest == "b8a9f715dbb64fd5c56e7783c6820a61"
    assert objects.read("a/2.txt") == b"two"
    assert sorted(objects.keys()) == ["a/1.txt", "a/2.txt", "b/3.txt"]


def test_a_prefix_may_end_within_a_name(objects):
    objects.write("2025-01-01.csv", b"x")
    objects.write("2025-01-02.csv", b"y")
    assert [entry.key for entry in objects.describe("2025-01-01")] == ["2025-01-01.csv"]


def test_files_are_listed_with_size_and_time_without_reading_them_and_deleted(objects, tmp_path):
    objects.write("a/b/1.txt", b"one!")
    objects.write("a/2.txt", b"two")
    sizes = objects.sizes("a/")
    assert [(entry.key, entry.size) for entry in sorted(sizes, key=lambda entry: entry.key)] == [
        ("a/2.txt", 3),
        ("a/b/1.txt", 4),
    ]
    for entry in sizes:
        # Of a file, as its file system has it; a store over HTTP tells its own time.
        path = tmp_path / entry.key
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else datetime.now(UTC)
        assert abs(written - entry.modified) < timedelta(minutes=1)
    for key in ("a/b/1.txt", "a/b/1.txt", "a/2.txt"):
        objects.delete(key)
    assert list(objects.keys()) == []


def test_a_removed_file_takes_its_empty_folder_with_it_but_not_the_root(tmp_path):
    directory = Directory(tmp_path)
    for key in ("folder/1", "folder/2", "3"):
        directory.write(key, b"x")
    directory.delete("folder/1")
    assert (tmp_path / "folder").exists()
    directory.delete("folder/2")
    directory.delete("3")
    assert list(tmp_path.iterdir()) == []


def test_a_replaced_file_is_not_read_as_the_one_that_was_listed(objects):
    objects.write("x", b"old")
    listed = objects.describe("x")[0]
    assert objects.read_unchanged(listed) == b"old"
    objects.write("x", b"new")
    with pytest.raises(FileNotFoundError, match="no longer has the digest"):
        objects.read_unchanged(listed)


def test_an_empty_prefix_is_no_error(objects):
    assert objects.describe("nothing/here") == []


def test_a_partially_written_file_is_never_listed(tmp_path):
    Directory(tmp_path).write("folder/x", b"whole")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["x"]


def test_another_scheme_is_refused():
    with pytest.raises(ValueError, match="expected a directory or s3"):
        open_objects("gs://bucket", {})


def test_linked_folders_and_files_count_and_links_without_an_end_do_not(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    Directory(elsewhere).write("x", b"linked")
    Directory(root).write("day/y", b"own")
    (root / "day" / "folder").symlink_to(elsewhere)
    (root / "day" / "file").symlink_to(elsewhere / "x")
    (root / "day" / "again").symlink_to(root)
    (elsewhere / "back").symlink_to(root / "day")
    assert [stored.key for stored in Directory(root).describe("day/")] == ["day/file", "day/folder/x", "day/y"]
    (root / "day" / "broken").symlink_to(tmp_path / "nothing")
    assert sorted(Directory(root).keys("day/")) == ["day/file", "day/folder/x", "day/y"]
    with pytest.raises(BrokenLink, match="day/broken"):
        Directory(root).describe("day/")
    assert [stored.key for stored in Directory(root).describe("day/f")] == ["day/file", "day/folder/x"]


def test_a_file_whose_name_is_not_utf_8_is_refused_by_its_name(tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9.csv"
    try:
        with open(name, "wb"):
            pass
    except OSError:
        pytest.skip("this file system only has names in UTF-8")
    for list_files in (Directory(tmp_path).describe, lambda prefix: list(Directory(tmp_path).keys(prefix))):
        with pytest.raises(UnreadableName, match=r"the name is not UTF-8; rename the file: '.*/caf\\\\xe9\.csv'"):
            list_files("")


def test_a_file_that_vanishes_while_it_is_listed_is_left_out(tmp_path, monkeypatch):
    directory = Directory(tmp_path)
    directory.write("gone", b"x")
    directory.write("stays", b"x")
    read = directory.read
    monkeypatch.setattr(directory, "read", lambda key: read("missing" if key == "gone" else key))
    assert [stored.key for stored in directory.describe("")] == ["stays"]


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%20b", "a:b"])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_path_may_contain_special_characters_of_uris(tmp_path, scheme, name):
    objects = open_objects(f"{scheme}{tmp_path}/{name}", {})
    assert isinstance(objects, Directory)
    assert objects.root == tmp_path / name


def test_a_prefix_of_a_bucket_may_contain_special_characters_of_uris(bucket):
    uri, s3 = bucket
    objects = open_objects(f"{uri}/a#b?c/", s3)
    objects.write("x", b"1")
    assert list(open_objects(uri, s3).keys()) == ["a#b?c/x"]


def test_a_partial_file_of_a_dead_process_is_never_listed_and_is_deleted_with_a_later_write_or_delete(
    tmp_path,
):
    directory, partial = Directory(tmp_path), tmp_path / "folder" / ".1.0f.unfinished"
    directory.write("folder/1", b"x")
    partial.write_bytes(b"hal")
    os.utime(partial, (time.time(), time.time()))
    assert list(directory.keys()) == ["folder/1"]
    assert [stored.key for stored in directory.sizes("folder/")] == ["folder/1"]
    directory.write("folder/1", b"somebody may be writing it")
    assert partial.exists()
    os.utime(partial, (0, 0))
    directory.write("folder/2", b"another")
    assert partial.exists()
    directory.write("folder/1", b"y")
    assert not partial.exists()
    partial.write_bytes(b"hal")
    os.utime(partial, (0, 0))
    directory.delete("folder/2")
    directory.delete("folder/1")
    assert not (tmp_path / "folder").exists()


def test_a_response_of_s3_that_breaks_off_is_retried_a_few_times(bucket):
    uri, s3 = bucket
    with FaultProxy(s3["endpoint_url"]) as proxy:
        objects = open_objects(uri, {**s3, "endpoint_url": proxy.address})
        objects.write("key", b"x" * 1000)
        (listed,) = objects.describe("key")
        proxy.calm()
        proxy.plan = lambda number, method, path: "answer cut" if number <= 2 else None
        assert objects.read("key") == b"x" * 1000
        proxy.calm()
        proxy.plan = nth(1, "answer cut")
        assert objects.read_unchanged(listed) == b"x" * 1000
        proxy.plan = all_of("answer cut")
        with pytest.raises(BotoCoreError):
            objects.read("key")
        with pytest.raises(FileNotFoundError, match="none is not in s3://"):
            objects.read("none")


@pytest.mark.parametrize("key", ["../outside.txt", "a/../../outside.txt", "a/..", "/etc/hosts", "a\0b"])
def test_no_key_leads_out_of_a_directory(tmp_path: Path, key: str):
    (tmp_path / "outside.txt").write_text("not for us")
    inside = Directory(tmp_path / "inside")
    inside.write("a/b.txt", b"ours")
    for use in (
        inside.read,
        inside.delete,
        lambda key: inside.write(key, b"taken"),
        lambda key: list(inside.keys(f"{key}/")),
    ):
        with pytest.raises(KeyEscapes):
            use(key)
    assert (tmp_path / "outside.txt").read_text() == "not for us"
    inside.write("a/..b.txt", b"a name like any other")
    assert inside.read("a/..b.txt") == b"a name like any other"


def test_a_bucket_that_never_answers_is_given_up_after_two_tries(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # The system accepts connections for a server that never does.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0.2)
        s3 = {"endpoint_url": f"http://127.0.0.1:{silent.getsockname()[1]}", "region_name": "us-east-1"}
        bucket = open_objects("s3://b/p", s3, seconds=0.1)
        for request in (lambda: bucket.read("key"), lambda: next(bucket.keys())):
            with pytest.raises(ReadTimeoutError):
                request()
            for _ in range(2):
                silent.accept()[0].close()
            with pytest.raises(TimeoutError):
                silent.accept()
