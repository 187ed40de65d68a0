"""Places are asked: directories that are there or not, and buckets of a real S3 server."""

import pytest

from ml_assets.resources.probes.storage_probe import problem_of_lake, problem_of_reading, problem_of_writing
from ml_assets.resources.storage.open_store import open_objects
from ml_assets_tests.resources.storage.test_conditional_puts import proxy, refusal, without_condition

ASKED = [problem_of_reading, problem_of_writing, problem_of_lake]


def test_a_directory_that_is_there_has_no_problem_and_nothing_is_left_in_it(tmp_path):
    for ask in ASKED:
        assert ask(open_objects(str(tmp_path), {}), "PLACE") is None
    assert list(tmp_path.iterdir()) == []


def test_a_landing_that_is_missing_or_a_file_is_a_problem(tmp_path):
    (tmp_path / "file").touch()
    assert (
        problem_of_reading(open_objects(f"{tmp_path}/gone", {}), "PLACE")
        == f"there is no {tmp_path}/gone. Create it, or correct PLACE."
    )
    for ask in ASKED:
        assert "is not a directory. Correct PLACE." in (ask(open_objects(f"{tmp_path}/file", {}), "PLACE") or "")


def test_a_lake_that_is_missing_can_be_made_and_is_not_made_for_the_question(tmp_path):
    assert problem_of_lake(open_objects(f"{tmp_path}/a/b", {}), "PLACE") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_takes_nothing_is_a_problem():
    # Nobody may make files in /proc, whatever the rights of the user.
    assert "this user may not write to /proc" in (problem_of_lake(open_objects("/proc/lake", {}), "PLACE") or "")


def test_a_bucket_that_is_there_has_no_problem_and_nothing_is_left_in_it(bucket):
    uri, s3 = bucket
    for ask in ASKED:
        assert ask(open_objects(uri, s3), "PLACE") is None
    assert list(open_objects(uri, s3).keys()) == []


@pytest.mark.parametrize("ask", ASKED)
def test_a_missing_bucket_is_named_and_the_variable_too(ask, bucket):
    _, s3 = bucket
    said = ask(open_objects("s3://gone/lake", s3), "PLACE") or ""
    assert said.startswith(
        f"bucket gone at {s3['endpoint_url']}: there is no such bucket. Create it, or correct the URI (PLACE)"
    )


@pytest.mark.parametrize("ask", ASKED)
def test_a_store_that_does_not_answer_is_named(ask, bucket, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    said = (
        ask(open_objects("s3://lake", {"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"}), "PLACE")
        or ""
    )
    assert "the store cannot be reached (EndpointConnectionError). Check the endpoint" in said


@pytest.mark.parametrize("ask", ASKED)
def test_missing_credentials_are_told(ask, bucket, monkeypatch, tmp_path):
    uri, s3 = bucket
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert "no usable credentials (NoCredentialsError). Set AWS_ACCESS_KEY_ID" in (
        ask(open_objects(uri, s3), "PLACE") or ""
    )


@pytest.mark.parametrize(
    ("ask", "needed"),
    [
        (problem_of_reading, "s3:GetObject and s3:ListBucket on it"),
        (problem_of_writing, "s3:PutObject, s3:GetObject and s3:ListBucket on it"),
    ],
)
def test_a_store_that_forbids_is_told_with_the_permissions_that_are_needed(ask, needed, bucket):
    uri, s3 = bucket
    with proxy(s3["endpoint_url"], lambda *_: refusal(403, "AccessDenied")) as between:
        said = ask(open_objects(uri, {**s3, "endpoint_url": between.address}), "PLACE") or ""
    assert "the store does not let this process" in said
    assert needed in said
    assert "AKIAEXAMPLE" not in said


def test_a_lake_on_a_store_that_ignores_conditions_is_unsafe_though_it_can_be_written(bucket):
    uri, s3 = bucket
    with proxy(s3["endpoint_url"], without_condition) as between:
        objects = open_objects(uri, {**s3, "endpoint_url": between.address})
        assert problem_of_writing(objects, "PLACE") is None
        assert "ignored the condition" in (problem_of_lake(objects, "PLACE") or "")
