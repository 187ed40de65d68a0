"""Directories that exist or do not, and buckets of a real S3 server."""

import time

import pytest

from ml_assets.resources.probes.storage_probe import (
    find_fullest_disk,
    lake_problem,
    measure_bucket_skew,
    read_problem,
    write_problem,
)
from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.resources.storage.test_conditional_puts import proxy, refusal, without_condition
from ml_assets_tests.support.tolerance import assert_close_to

PROBES = [read_problem, write_problem, lake_problem]


def test_a_directory_that_is_there_has_no_problem_and_nothing_is_left_in_it(tmp_path):
    for probe in PROBES:
        assert probe(open_objects(str(tmp_path), {}), "PLACE") is None
    assert list(tmp_path.iterdir()) == []


def test_a_landing_that_is_missing_or_a_file_is_a_problem(tmp_path):
    (tmp_path / "file").touch()
    assert (
        read_problem(open_objects(f"{tmp_path}/gone", {}), "PLACE")
        == f"there is no {tmp_path}/gone. Create it, or correct PLACE."
    )
    for probe in PROBES:
        assert "is not a directory. Correct PLACE." in (probe(open_objects(f"{tmp_path}/file", {}), "PLACE") or "")


def test_a_lake_that_is_missing_can_be_made_and_is_not_made_for_the_question(tmp_path):
    assert lake_problem(open_objects(f"{tmp_path}/a/b", {}), "PLACE") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_takes_nothing_is_a_problem():
    # Nobody may make files in /proc, whatever the rights of the user.
    assert "this user may not write to /proc" in (lake_problem(open_objects("/proc/lake", {}), "PLACE") or "")


def test_a_bucket_that_is_there_has_no_problem_and_nothing_is_left_in_it(bucket):
    uri, s3 = bucket
    for probe in PROBES:
        assert probe(open_objects(uri, s3), "PLACE") is None
    assert list(open_objects(uri, s3).keys()) == []


@pytest.mark.parametrize("probe", PROBES)
def test_a_missing_bucket_is_named_and_the_variable_too(probe, bucket):
    _, s3 = bucket
    said = probe(open_objects("s3://gone/lake", s3), "PLACE") or ""
    assert said.startswith(
        f"bucket gone at {s3['endpoint_url']}: there is no such bucket. Create it, or correct the URI (PLACE)"
    )


@pytest.mark.parametrize("probe", PROBES)
def test_a_store_that_does_not_answer_is_named(probe, bucket, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    said = (
        probe(open_objects("s3://lake", {"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"}), "PLACE")
        or ""
    )
    assert "the store cannot be reached (EndpointConnectionError). Check the endpoint" in said


@pytest.mark.parametrize("probe", PROBES)
def test_missing_credentials_are_told(probe, bucket, monkeypatch, tmp_path):
    uri, s3 = bucket
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert "no usable credentials (NoCredentialsError). Set AWS_ACCESS_KEY_ID" in (
        probe(open_objects(uri, s3), "PLACE") or ""
    )


@pytest.mark.parametrize(
    ("probe", "needed"),
    [
        (read_problem, "s3:GetObject and s3:ListBucket on it"),
        (write_problem, "s3:PutObject, s3:GetObject and s3:ListBucket on it"),
    ],
)
def test_a_store_that_forbids_is_told_with_the_permissions_that_are_needed(probe, needed, bucket):
    uri, s3 = bucket
    with proxy(s3["endpoint_url"], lambda *_: refusal(403, "AccessDenied")) as between:
        said = probe(open_objects(uri, {**s3, "endpoint_url": between.address}), "PLACE") or ""
    assert "the store does not let this process" in said
    assert needed in said
    assert "AKIAEXAMPLE" not in said


def test_a_lake_on_a_store_that_ignores_conditions_is_unsafe_though_it_can_be_written(bucket):
    uri, s3 = bucket
    with proxy(s3["endpoint_url"], without_condition) as between:
        objects = open_objects(uri, {**s3, "endpoint_url": between.address})
        assert write_problem(objects, "PLACE") is None
        assert "ignored the condition" in (lake_problem(objects, "PLACE") or "")


@pytest.mark.clock
def test_the_clock_of_a_bucket_is_compared_with_this_one(bucket):
    uri, s3 = bucket
    bucket_store = Bucket(uri, s3)
    assert_close_to(0, lambda: measure_bucket_skew(bucket_store), tolerance=3)
    assert_close_to(-100, lambda: measure_bucket_skew(bucket_store, now=lambda: time.time() - 100), tolerance=3)


def test_the_disk_of_a_folder_that_exists_has_free_space(tmp_path):
    folder, free = find_fullest_disk([tmp_path / "missing", tmp_path]) or ("", 0)
    assert folder == str(tmp_path)
    assert free > 0
    assert find_fullest_disk([tmp_path / "missing"]) is None
